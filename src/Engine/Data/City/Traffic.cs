namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// What stands or moves in the streets on one drive: parked and driving cars, vans, people, scaffolds. Each is drawn from (drive, street,
/// slot), so two pictures of one drive agree and another drive has others. Large, detailed, and useless for telling places apart.
/// </summary>
internal sealed class Traffic(Daylight light)
{
    private static readonly Rgb[] Coats =
    [
        new(0.7f, 0.7f, 0.7f), new(0.35f, 0.36f, 0.38f), new(0.02f, 0.02f, 0.025f), new(0.10f, 0.11f, 0.13f), new(0.45f, 0.03f, 0.03f),
        new(0.03f, 0.08f, 0.3f), new(0.05f, 0.2f, 0.12f), new(0.65f, 0.5f, 0.1f), new(0.1f, 0.3f, 0.5f), new(0.4f, 0.32f, 0.22f),
    ];

    // Side outlines as shares of length and metres of height.
    private static readonly float[] Saloon = [0, 0.72f, 0.04f, 0.85f, 0.24f, 0.93f, 0.38f, 1.42f, 0.70f, 1.44f, 0.86f, 0.98f, 0.97f, 0.92f, 1, 0.7f];
    private static readonly float[] Hatch = [0, 0.75f, 0.04f, 0.88f, 0.2f, 0.95f, 0.36f, 1.5f, 0.86f, 1.48f, 0.97f, 0.95f, 1, 0.7f];
    private static readonly float[] Van = [0, 0.85f, 0.03f, 1.05f, 0.12f, 1.15f, 0.24f, 2.05f, 0.3f, 2.2f, 0.98f, 2.2f, 1, 2.0f];
    private static readonly float[] Lorry = [0, 1.0f, 0.01f, 1.3f, 0.06f, 2.5f, 0.2f, 2.6f, 0.22f, 3.1f, 0.99f, 3.15f, 1, 3.1f];

    public void Add(List<Piece> pieces, Street street, in Camera camera)
    {
        var day = new Dice(Dice.Mix(light.Seed, (uint)street.Id * 977 + street.Dice.Seed));
        var cross = street.Half + 3;
        var occupied = day.Range(0, 0.1f, 0.5f);
        for (var side = -1; side <= 1; side += 2)
        {
            var slot = 0;
            for (var s = cross + 2; s < street.Length - cross - 2; s += 6.1f, slot++)
            {
                var d = day[100 + side * 50 + slot];
                if (d.Chance(0, occupied))
                    Car(pieces, street, d, s + d.Range(1, -0.4f, 0.4f), side * (street.Kerb - 1.05f), d.Chance(2, 0.85f) == side > 0, camera, false);
            }
            for (var n = 0; n < 3; n++)
            {
                var d = day[300 + side * 20 + n];
                if (d.Chance(0, 0.35f))
                    Car(pieces, street, d, d.Range(1, 0, street.Length), side * 1.5f, side > 0, camera, true);
            }
            var crowd = light.Drive.Weather is CityWeather.Night or CityWeather.RainyNight ? 2 : 3;
            for (var n = 0; n < crowd; n++)
            {
                var d = day[400 + side * 30 + n];
                Person(pieces, d, street.At(d.Range(1, 0, street.Length), side * d.Range(2, street.Kerb + 0.4f, street.Half - 0.4f)), camera);
            }
        }
        if (day.Chance(1, 0.22f))
            Scaffold(pieces, street, day[2]);
    }

    /// <summary>People who pass right before this one camera.</summary>
    public static void AddPassers(List<Piece> pieces, CityView view, in Camera camera)
    {
        var dice = new Dice(view.Seed);
        Flat at = camera.At, forward = camera.Forward;
        for (var n = 0; n < 3; n++)
            if (dice.Chance(500 + n, 0.12f))
                Person(pieces, dice[510 + n], at + forward * dice.Range(520 + n, 2.2f, 6) + forward.Right * dice.Range(530 + n, -3f, 3f), camera);
    }

    private static void Person(List<Piece> pieces, Dice dice, Flat at, in Camera camera)
    {
        if ((at - camera.At).Length < 1.6f || !camera.MaySee(at, 1))
            return;
        var person = Billboard(Surface.Person, at, camera.At, 0.9f, dice.Range(3, 1.55f, 1.9f));
        person.Seed = dice.Seed;
        pieces.Add(person);
    }

    /// <summary>An upright piece that faces the camera.</summary>
    public static Piece Billboard(Surface surface, Flat at, Flat camera, float width, float height)
    {
        var side = (at - camera).Unit.Right * (width * 0.5f);
        var piece = Piece.Wall(surface, at - side, at + side, 0, height);
        piece.Pierced = surface is Surface.Person or Surface.Crown;
        (piece.NormalX, piece.NormalY, piece.NormalZ) = (0, 0, 0);
        return piece;
    }

    private void Car(List<Piece> pieces, Street street, Dice dice, float s, float lateral, bool forth, in Camera camera, bool driving)
    {
        var kind = dice.Pick(10, 10);
        var (outline, length, width, belt) = kind switch
        {
            < 4 => (Saloon, 4.5f, 1.78f, 0.92f),
            < 7 => (Hatch, 3.9f, 1.7f, 0.94f),
            < 9 => (Van, 5.1f, 1.95f, 1.15f),
            _ => driving || dice.Chance(11, 0.4f) ? (Lorry, 7.5f, 2.3f, 1.5f) : (Van, 5.4f, 2f, 1.2f),
        };
        var middle = street.At(s, lateral);
        // Nobody drives into the camera car.
        if ((middle - camera.At).Length < length * 0.5f + 1.2f || !camera.MaySee(middle, 5))
            return;
        var ahead = street.Along * (forth ? 1 : -1);
        Flat nose = middle + ahead * (length * 0.5f), out0 = ahead.Right * (width * 0.5f);
        var coat = kind >= 7 && dice.Chance(12, 0.5f) ? Rgb.Grey(0.68f) : Coats[dice.Pick(13, Coats.Length)];
        uint seed = dice.Seed & ~1u | (driving ? 0u : 1u);
        Flat Point(float share, float side) => nose - ahead * (share * length) + out0 * side;

        void Upright(Surface surface, Flat a, Flat b, float bottom, float top, float detail, float[]? profile = null)
        {
            var piece = Piece.Wall(surface, a, b, bottom, top, profile);
            (piece.OneSided, piece.Paint, piece.Seed, piece.Detail, piece.Street, piece.Pierced) = (true, coat, seed, detail, street, surface == Surface.CarSide);
            pieces.Add(piece);
        }

        float[] Outline(bool reverse)
        {
            var profile = new float[outline.Length];
            for (var i = 0; i < outline.Length; i += 2)
            {
                var from = reverse ? outline.Length - 2 - i : i;
                (profile[i], profile[i + 1]) = ((reverse ? 1 - outline[from] : outline[from]) * length, outline[from + 1]);
            }
            return profile;
        }

        // Sides run so that each looks outwards.
        Upright(Surface.CarSide, Point(1, 1), Point(0, 1), 0, 0, belt, Outline(true));
        Upright(Surface.CarSide, Point(0, -1), Point(1, -1), 0, 0, belt, Outline(false));
        Upright(Surface.CarEnd, Point(0, 1), Point(0, -1), 0.22f, outline[1], 1);
        Upright(Surface.CarEnd, Point(1, -1), Point(1, 1), 0.22f, outline[^1], 0);
        for (var i = 2; i < outline.Length; i += 2)
        {
            float a = outline[i - 2], b = outline[i], za = outline[i - 1], zb = outline[i + 1], steep = (zb - za) / ((b - a) * length);
            var glass = za > belt - 0.05f && (steep > 0.25f || steep < -0.2f && kind < 7) || zb > belt - 0.05f && steep < -0.5f && kind < 7;
            var top = Piece.Sheet(glass ? Surface.CarGlass : Surface.CarSkin, [Point(a, -1), Point(a, 1), Point(b, 1), Point(b, -1)], za, za, zb);
            (top.Paint, top.Street) = (coat, street);
            pieces.Add(top);
        }
        var under = Piece.Sheet(Surface.Contact, [Point(-0.04f, -1.15f), Point(-0.04f, 1.15f), Point(1.04f, 1.15f), Point(1.04f, -1.15f)], 0.012f);
        under.Street = street;
        pieces.Add(under);
    }

    private static void Scaffold(List<Piece> pieces, Street street, Dice dice)
    {
        var side = dice.Chance(0, 0.5f) ? 1 : -1;
        float s = dice.Range(1, street.Half + 3, street.Length - street.Half - 14), length = dice.Range(2, 7, 12), high = dice.Range(3, 6, 11), off = side * (street.Half - 1.1f);
        Flat a = street.At(s, off), b = street.At(s + length, off);
        var net = Piece.Wall(Surface.Scaffold, a, b, 0.1f, high);
        (net.Pierced, net.Seed, net.Street) = (true, dice.Seed, street);
        net.Paint = dice.Chance(4, 0.5f) ? new Rgb(0.1f, 0.35f, 0.2f) : new Rgb(0.6f, 0.6f, 0.58f);
        pieces.Add(net);
    }
}
