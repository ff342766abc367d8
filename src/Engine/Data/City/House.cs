namespace IlgpuNetVlad.Engine.Data.City;

internal enum Masonry : byte { Plaster, Brick, Stone, HalfTimber, Boards }

internal enum RoofForm : byte { Eaves, Flat, Mansard, Gable, Stepped, Bell }

internal enum WindowForm : byte { Plain, Cross, Arched, Shuttered, Wide, French }

internal enum GroundFloor : byte { Rooms, Shop, Garage, Arcade }

/// <summary>
/// What makes one house itself: dimensions in metres, materials, openings, sign. A terrace shares its style among neighbours, so that
/// houses are confusable and the small differences (door, sign, shutters, blind bays) matter.
/// </summary>
internal sealed class House
{
    public required uint Seed { get; init; }

    /// <summary>Width of the façade.</summary>
    public required float Width { get; set; }

    public Flat Origin, Axis;
    public int Floors, Bays;
    public float GroundHeight, FloorHeight, Rise, WindowWidth, WindowHeight, Sill, SignHeight;
    public Masonry Masonry;
    public RoofForm Roof;
    public WindowForm Window;
    public GroundFloor Ground;
    public Rgb Wall, Trim, Frame, Accent, RoofPaint, SignGround, SignInk, Plinth;
    public bool StringCourse, Quoins, Keystones, Ivy, GroundStone, AwningOut, HangingSign;

    /// <summary>One bit a bay and floor (16 bays): openings that are walled up.</summary>
    public uint Blind, Balconies;

    /// <summary>Bay that a projecting window fills from the first floor up, −1 for none.</summary>
    public int OrielBay = -1;
    public int DoorBay, DormerCount, SignGlyphs;
    public uint SignSeed;

    public float Eave => GroundHeight + (Floors - 1) * FloorHeight + 0.45f;

    public float BayWidth => Width / Bays;

    private static readonly Rgb[] Plasters =
    [
        new(0.72f, 0.66f, 0.52f), new(0.75f, 0.55f, 0.25f), new(0.60f, 0.24f, 0.15f), new(0.42f, 0.52f, 0.38f), new(0.35f, 0.46f, 0.60f),
        new(0.80f, 0.78f, 0.72f), new(0.55f, 0.50f, 0.46f), new(0.74f, 0.42f, 0.36f), new(0.68f, 0.62f, 0.30f), new(0.45f, 0.32f, 0.24f),
    ];

    private static readonly Rgb[] Bricks = [new(0.42f, 0.14f, 0.08f), new(0.34f, 0.17f, 0.11f), new(0.55f, 0.40f, 0.24f), new(0.24f, 0.13f, 0.12f)];
    private static readonly Rgb[] Stones = [new(0.52f, 0.48f, 0.40f), new(0.40f, 0.39f, 0.38f), new(0.58f, 0.46f, 0.34f)];
    private static readonly Rgb[] Woods = [new(0.36f, 0.10f, 0.07f), new(0.50f, 0.52f, 0.48f), new(0.16f, 0.24f, 0.28f), new(0.60f, 0.50f, 0.30f)];
    private static readonly Rgb[] RoofPaints = [new(0.34f, 0.12f, 0.07f), new(0.42f, 0.17f, 0.09f), new(0.10f, 0.11f, 0.13f), new(0.20f, 0.15f, 0.12f), new(0.17f, 0.24f, 0.20f)];
    private static readonly Rgb[] Accents =
    [
        new(0.05f, 0.20f, 0.10f), new(0.35f, 0.03f, 0.03f), new(0.03f, 0.08f, 0.30f), new(0.10f, 0.06f, 0.03f), new(0.55f, 0.40f, 0.05f),
        new(0.02f, 0.25f, 0.28f), new(0.30f, 0.30f, 0.30f), new(0.25f, 0.05f, 0.20f),
    ];

    /// <summary>A house of a terrace: most of its style from the terrace, its differences from itself.</summary>
    public static House Build(Dice own, Dice terrace, Dice street, Flat from, Flat to, bool corner)
    {
        var along = to - from;
        var width = along.Length;
        // How much of the terrace a house keeps: most keep the build, fewer the paint.
        Dice build = own.Chance(1, 0.4f) ? terrace : own, paint = own.Chance(2, 0.2f) ? terrace : own;
        // Streets have a character: most of their houses are of one masonry and of two or three colours.
        var common = own.Chance(50, 0.65f);
        var masonry = (Masonry)new[] { 0, 0, 0, 1, 1, 2, 3, 4, 0, 1 }[(common ? street : build).Pick(3, 10)];
        var floors = 2 + build.Pick(4, 3) + (own.Chance(5, 0.2f) ? 1 : 0);
        if (masonry is Masonry.HalfTimber or Masonry.Boards && floors > 3)
            floors = 3;
        var roof = (RoofForm)new[] { 0, 0, 0, 1, 2, 3, 3, 4, 5, 0 }[build.Pick(6, 10)];
        // On a corner two roofs of one form meet in a mitre; gables would not.
        if (roof >= RoofForm.Gable && (corner || width > 11))
            roof = corner && build.Chance(47, 0.5f) ? RoofForm.Eaves : RoofForm.Mansard;
        var palette = masonry switch { Masonry.Brick => Bricks, Masonry.Stone => Stones, Masonry.Boards => Woods, _ => Plasters };
        var wall = palette[common ? street.Pick(51 + own.Pick(52, 2), palette.Length) : paint.Pick(7, palette.Length)];
        if (masonry == Masonry.HalfTimber)
            wall = new Rgb(0.74f, 0.70f, 0.60f) * own.Range(8, 0.8f, 1.05f);
        wall *= own.Range(9, 0.85f, 1.1f);
        wall = wall * new Rgb(own.Range(10, 0.93f, 1.07f), 1, own.Range(11, 0.9f, 1.1f));
        var bays = Math.Max(2, (int)(width / build.Range(12, 1.9f, 3.2f)));
        var form = (WindowForm)build.Pick(13, 6);
        var bay = width / bays;
        var house = new House
        {
            Seed = own.Seed, Width = width, Origin = from, Axis = along / width, Floors = floors, Bays = bays, Masonry = masonry, Roof = roof,
            Window = form, GroundHeight = build.Range(14, 3.1f, 4.2f), FloorHeight = build.Range(15, 2.7f, 3.5f),
            Rise = roof switch { RoofForm.Flat => 0, RoofForm.Mansard => 2.6f, RoofForm.Eaves => build.Range(16, 2f, 4f), _ => Math.Min(6, width * build.Range(17, 0.42f, 0.7f)) },
            WindowWidth = form == WindowForm.Wide ? bay * 0.76f : Math.Min(1.5f, bay * build.Range(18, 0.38f, 0.55f)),
            WindowHeight = form switch { WindowForm.Wide => 1.35f, WindowForm.French => 2.15f, _ => build.Range(19, 1.4f, 1.95f) },
            Sill = form == WindowForm.French ? 0.12f : form == WindowForm.Wide ? 0.95f : 0.8f,
            Wall = wall, Trim = own.Chance(20, 0.6f) ? new Rgb(0.72f, 0.70f, 0.64f) : wall * 0.55f,
            Frame = own.Chance(21, 0.65f) ? Rgb.Grey(0.78f) : Accents[own.Pick(22, Accents.Length)],
            Accent = Accents[own.Pick(23, Accents.Length)] * own.Range(24, 0.8f, 1.6f), Plinth = Stones[own.Pick(25, 3)] * 0.7f,
            RoofPaint = RoofPaints[build.Pick(26, RoofPaints.Length)] * own.Range(27, 0.8f, 1.25f),
            StringCourse = build.Chance(28, 0.5f), Quoins = build.Chance(29, 0.3f), Keystones = build.Chance(30, 0.4f), Ivy = own.Chance(31, 0.08f),
            GroundStone = build.Chance(32, 0.35f), Ground = (GroundFloor)new[] { 0, 0, 0, 1, 1, 1, 1, 2, 3, 0 }[own.Pick(33, 10)],
            DoorBay = own.Pick(34, bays), DormerCount = own.Chance(35, 0.5f) ? 1 + own.Pick(36, Math.Min(3, bays)) : 0,
            SignSeed = own.Bits(37), SignGlyphs = 3 + own.Pick(38, 5), SignHeight = own.Range(39, 0.55f, 0.85f),
            SignGround = own.Chance(40, 0.5f) ? Accents[own.Pick(41, Accents.Length)] * 1.3f : new Rgb(0.8f, 0.76f, 0.66f) * own.Range(42, 0.6f, 1.1f),
            AwningOut = own.Chance(43, 0.45f), HangingSign = own.Chance(44, 0.5f),
        };
        house.SignInk = house.SignGround.Luma > 0.3f ? Accents[own.Pick(45, Accents.Length)] * 0.6f : new Rgb(0.85f, 0.8f, own.Range(46, 0.2f, 0.8f));
        for (var f = 0; f < floors; f++)
            for (var b = 0; b < bays && b < 6; b++)
            {
                var bit = 1u << (f * 6 + b);
                if (own.Chance(100 + f * 8 + b, 0.09f))
                    house.Blind |= bit;
                else if (f > 0 && own.Chance(200 + f * 8 + b, form == WindowForm.French ? 0.4f : 0.1f))
                    house.Balconies |= bit;
            }
        if (floors > 1 && form is not (WindowForm.French or WindowForm.Shuttered) && own.Chance(48, 0.3f))
        {
            house.OrielBay = own.Pick(49, bays);
            house.Balconies = 0;
        }
        return house;
    }

    /// <summary>The projecting window of this house, as a narrow house of its own.</summary>
    public House Oriel(Flat from, float width)
    {
        var oriel = (House)MemberwiseClone();
        (oriel.Origin, oriel.Width, oriel.Bays, oriel.Blind, oriel.OrielBay, oriel.Quoins, oriel.Ivy) = (from, width, 1, 0, -1, false, false);
        (oriel.WindowWidth, oriel.Window, oriel.Roof) = (width * 0.72f, Window == WindowForm.Wide ? WindowForm.Wide : WindowForm.Cross, RoofForm.Gable);
        (oriel.Masonry, oriel.Wall) = (Masonry.Plaster, Trim);
        return oriel;
    }

    public bool Has(uint mask, int floor, int bay) => floor < 5 && bay < 6 && (mask >> (floor * 6 + bay) & 1) != 0;
}
