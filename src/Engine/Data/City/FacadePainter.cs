namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Gives a point of a façade its paint: masonry, openings with reveals and frames, sills, cornices, shop fronts, signs.</summary>
internal static class FacadePainter
{
    private const float Reveal = 0.18f;

    public static Paint At(in Hit hit, Daylight light)
    {
        var house = hit.Piece.House!;
        float u = hit.U, z = hit.Z;
        // Metres that the ray moves along and up for a metre into the wall: openings show the side of their reveal that faces the camera.
        var into = -(hit.Direction.X * hit.Piece.NormalX + hit.Direction.Y * hit.Piece.NormalY);
        into = Math.Max(into, 0.02f);
        float du = Flat.Dot(hit.Direction, hit.Piece.Axis) / into, dz = hit.Slope / into;
        if (z < house.GroundHeight)
            return Ground(hit, house, light, u, z, du, dz);
        if (z > house.Eave)
            return Attic(hit, house, light, u, z);
        int floor = Math.Min(house.Floors - 1, 1 + (int)((z - house.GroundHeight) / house.FloorHeight)), bay = Math.Clamp((int)(u / house.BayWidth), 0, house.Bays - 1);
        float bu = u - (bay + 0.5f) * house.BayWidth, bz = z - house.GroundHeight - (floor - 1) * house.FloorHeight;
        var under = house.Eave - z;
        if (house.Roof is RoofForm.Eaves or RoofForm.Mansard or RoofForm.Flat && under < 0.38f)
            return Paint.Of(house.Trim * (under < 0.1f ? 1.05f : under < 0.2f ? 0.8f : 0.95f), 0.9f);
        if (house.StringCourse && bz < 0.16f)
            return Paint.Of(house.Trim * (bz < 0.04f ? 0.7f : 1));
        var paint = house.Has(house.Blind, floor, bay) ? null : Window(hit, house, light, floor, bay, bu, bz - house.Sill, du, dz, house.WindowWidth, house.WindowHeight, house.Window);
        return paint ?? Wall(hit, house, light, u, z, under);
    }

    /// <summary>Bare wall.</summary>
    public static Paint Wall(in Hit hit, House house, Daylight light, float u, float z, float under)
    {
        var open = 0.72f + 0.28f * Plain.Clamp01(z * 0.7f);
        if (under < 1)
            open *= 0.75f + 0.25f * under;
        if (house.Ivy && z < house.Eave - 0.4f)
        {
            var reach = Noise.Value(u * 0.45f + (house.Seed & 127), z * 0.3f) + 0.25f * Noise.Value(u * 3, z * 3);
            if (reach > 0.62f)
            {
                var leaf = Rgb.Lerp(light.LeafA, light.LeafB, Noise.Cell((int)(u * 9), (int)(z * 9)));
                return Paint.Of((light.Foliage > 0.2f ? leaf : new Rgb(0.13f, 0.1f, 0.07f)) * (0.5f + 0.8f * Noise.Value(u * 8, z * 8)), open);
            }
        }
        if (house.Quoins && (u < 0.45f || u > house.Width - 0.45f))
        {
            var block = Plain.Floor(z / 0.38f);
            var wide = (block & 1) == 0 ? 0.45f : 0.3f;
            if ((u < wide || u > house.Width - wide) && Plain.Fraction(z / 0.38f) > 0.08f)
                return Paint.Of(house.Trim * (0.85f + 0.25f * Noise.Cell(block, (int)house.Seed)), open);
        }
        return Paint.Of(Material(hit, house.Masonry, house.Wall, house.Seed, u, z) * Streaks(house.Seed, u, z), open);
    }

    /// <summary>Colour of masonry, with its joints as far as they show.</summary>
    public static Rgb Material(in Hit hit, Masonry masonry, Rgb wall, uint seed, float u, float z)
    {
        switch (masonry)
        {
            case Masonry.Brick:
            {
                var row = Plain.Floor(z / 0.115f);
                float along = u / 0.36f + (row & 1) * 0.5f, shows = hit.Shows(0.1f);
                var tone = 1 + (0.55f * (Noise.Cell(Plain.Floor(along) + (int)(seed & 63), row) - 0.5f)) * hit.Shows(0.2f);
                if (Plain.Fraction(z / 0.115f) < 0.18f || Plain.Fraction(along) < 0.07f)
                    return Rgb.Lerp(wall * tone, new Rgb(0.5f, 0.47f, 0.42f), 0.6f * shows + 0.12f);
                return wall * tone;
            }
            case Masonry.Stone:
            {
                var row = Plain.Floor(z / 0.42f);
                var along = u / (0.6f + 0.5f * Noise.Cell(row, (int)(seed & 127))) + Noise.Cell(row, 7);
                var tone = 0.82f + 0.36f * Noise.Cell(Plain.Floor(along), row + (int)(seed & 63));
                var joint = Plain.Fraction(z / 0.42f) < 0.08f || Plain.Fraction(along) < 0.05f;
                return wall * tone * (joint ? 0.6f : 1) * (0.9f + 0.2f * Noise.Value(u * 6, z * 6));
            }
            case Masonry.HalfTimber:
            {
                var cell = 1.35f + 0.5f * ((seed & 15) / 15f);
                float x = Plain.Fraction(u / cell), y = Plain.Fraction(z / 1.45f);
                var which = Dice.Mix(seed, (uint)(Plain.Floor(u / cell) * 31 + Plain.Floor(z / 1.45f))) % 5;
                var slant = which == 0 ? x - y : which == 1 ? x + y - 1 : 9;
                var beam = x < 0.11f || y < 0.12f || slant is > -0.09f and < 0.09f;
                return beam ? new Rgb(0.14f, 0.08f, 0.05f) * (0.7f + 0.6f * Noise.Value(u * 9, z * 3)) : wall * (0.94f + 0.12f * Noise.Value(u * 3, z * 3));
            }
            case Masonry.Boards:
                var board = Plain.Floor(z / 0.22f);
                return wall * (0.85f + 0.3f * Noise.Cell(board, (int)(seed & 63))) * (Plain.Fraction(z / 0.22f) < 0.14f ? 1 - 0.45f * hit.Shows(0.22f) : 1);
            default:
                return wall * (0.88f + 0.16f * Noise.Value(u * 1.3f + (seed & 31), z * 1.1f) + 0.08f * Noise.Value(u * 11, z * 11) * hit.Shows(0.1f));
        }
    }

    /// <summary>Rain marks below edges and rising damp.</summary>
    private static float Streaks(uint seed, float u, float z)
    {
        var streak = Noise.Value(u * 2.3f + (seed & 63), z * 0.22f);
        var damp = z < 0.9f ? 0.75f + 0.28f * z : 1;
        return damp * (streak > 0.72f ? 1 - (streak - 0.72f) * 0.9f : 1);
    }

    private static Paint Ground(in Hit hit, House house, Daylight light, float u, float z, float du, float dz)
    {
        if (z < 0.5f && house.Ground != GroundFloor.Shop)
            return Paint.Of(house.Plinth * (0.75f + 0.4f * Noise.Value(u * 4, z * 4)), 0.62f + 0.3f * z);
        int bay = Math.Clamp((int)(u / house.BayWidth), 0, house.Bays - 1);
        var bu = u - (bay + 0.5f) * house.BayWidth;
        if (house.Ground == GroundFloor.Shop)
            return Shop(hit, house, light, u, z, du, dz);
        if (house.Ground == GroundFloor.Garage && house.Bays > 1)
        {
            // One wide gate, a door beside it.
            float wide = Math.Min(house.Width * 0.5f, 3.2f), g = u - (house.DoorBay * 2 < house.Bays ? wide * 0.5f + 0.5f : house.Width - wide * 0.5f - 0.5f);
            if (g > -wide * 0.5f && g < wide * 0.5f && z < 2.5f)
                return Paint.Of(house.Accent * (Plain.Fraction(z / 0.3f) < 0.12f ? 0.6f : 1) * (0.9f + 0.2f * Noise.Value(u, z * 3)), 0.8f);
        }
        if (house.Ground == GroundFloor.Arcade)
        {
            float half = house.BayWidth * 0.36f, spring = house.GroundHeight - 0.5f - half, rise = z - spring;
            if (bu > -half && bu < half && (rise < 0 || bu * bu + rise * rise < half * half))
                return Paint.Of(new Rgb(0.06f, 0.05f, 0.05f) * (1 + z) + house.Wall * 0.06f, 0.6f);
        }
        else if (bay == house.DoorBay)
        {
            float half = 0.55f, high = Math.Min(2.5f, house.GroundHeight - 0.5f);
            if (bu > -half - 0.14f && bu < half + 0.14f && z < high + 0.14f)
            {
                if (bu < -half || bu > half || z > high)
                    return Paint.Of(house.Trim);
                if (z > high - 0.4f)
                    return Glass(hit, light, house.Seed + 99, 0.3f, bu, z, du, dz);
                var panel = Plain.Fraction((bu + half) / half * 0.999f) is > 0.14f and < 0.86f && Plain.Fraction(z / 0.8f) is > 0.12f and < 0.88f;
                return Paint.Of(house.Accent * (panel ? 0.75f : 1), 0.8f);
            }
        }
        if (house.Ground != GroundFloor.Arcade && !(house.Ground == GroundFloor.Garage) && !house.Has(house.Blind, 0, bay))
        {
            var form = house.Window is WindowForm.French ? WindowForm.Cross : house.Window;
            if (Window(hit, house, light, 0, bay, bu, z - 1.0f, du, dz, house.WindowWidth, Math.Min(house.WindowHeight, house.GroundHeight - 1.6f), form) is { } paint)
                return paint;
        }
        if (house.GroundStone)
        {
            var joint = Plain.Fraction(z / 0.45f) < 0.09f;
            return Paint.Of(house.Plinth * (joint ? 0.8f : 1.35f) * (0.9f + 0.2f * Noise.Value(u * 5, z * 5)), 0.72f + 0.28f * Plain.Clamp01(z * 0.7f));
        }
        return Wall(hit, house, light, u, z, 9);
    }

    private static Paint Shop(in Hit hit, House house, Daylight light, float u, float z, float du, float dz)
    {
        float signLow = house.GroundHeight - house.SignHeight - 0.12f, w = house.Width;
        if (z > house.GroundHeight - 0.12f)
            return Paint.Of(house.Trim, 0.9f);
        if (z > signLow)
        {
            var ink = Sign.Ink(house.SignSeed, house.SignGlyphs, u / w, (z - signLow) / house.SignHeight, hit.Grain / house.SignHeight);
            var colour = Rgb.Lerp(house.SignGround, house.SignInk, ink);
            var paint = Paint.Of(colour);
            if (light.Dark && (house.SignSeed & 3) != 0)
                paint.Glow = colour * 0.5f;
            return paint;
        }
        float doorAt = (house.SignSeed & 4) != 0 ? 0.9f : w - 0.9f, door = u - doorAt;
        var frame = house.Accent * 0.9f;
        if (z < 0.45f && !(door is > -0.5f and < 0.5f))
            return Paint.Of(frame * 0.7f, 0.7f);
        if (u < 0.22f || u > w - 0.22f || z > signLow - 0.12f || door is > 0.5f and < 0.62f or < -0.5f and > -0.62f)
            return Paint.Of(frame, 0.9f);
        var panes = Math.Max(2, (int)(w / 1.8f));
        if (!(door is > -0.5f and < 0.5f) && Plain.Fraction(u / w * panes) < 0.04f)
            return Paint.Of(frame, 0.85f);
        // Behind the pane: goods on shelves, seen a hand's breadth deeper.
        float su = u + du * 0.5f, sz = z + dz * 0.5f;
        var shop = new Dice(house.SignSeed);
        int ix = Plain.Floor(su / 0.35f), iz = Plain.Floor(sz / 0.5f);
        var goods = Noise.Cell(ix + (int)(house.SignSeed & 255), iz) > 0.45f && Plain.Fraction(sz / 0.5f) < 0.3f + 0.6f * Noise.Cell(iz * 7, ix);
        var thing = goods ? new Rgb(Noise.Cell(ix, iz * 3), Noise.Cell(ix * 5, iz), Noise.Cell(ix, iz * 11)) * 0.5f : new Rgb(0.16f, 0.14f, 0.12f);
        var result = Paint.Of(thing * 0.45f, 0.8f);
        result.Shine = door is > -0.5f and < 0.5f ? 0.06f : 0.16f;
        var open = light.Dark ? shop.Chance((int)light.Seed, 0.6f) : shop.Chance((int)light.Seed, light.LitShare * 2);
        if (open)
            result.Glow = (thing + Rgb.Grey(0.25f)) * new Rgb(1, 0.85f, 0.6f) * (light.Dark ? 0.55f : 0.3f);
        return result;
    }

    private static Paint Attic(in Hit hit, House house, Daylight light, float u, float z)
    {
        float top = hit.Piece.TopAt(u), mid = house.Width * 0.5f, x = u - mid, y = z - house.Eave - house.Rise * 0.32f;
        if (top - z < 0.22f)
            return Paint.Of(house.Trim);
        if (house.Roof is RoofForm.Bell or RoofForm.Stepped && x * x + y * y < 0.3f)
            return x * x + y * y < 0.2f ? Glass(hit, light, house.Seed + 7, 0.2f, x, y, 0, 0) : Paint.Of(house.Trim);
        if (house.Roof == RoofForm.Gable && x is > -0.5f and < 0.5f && y is > -0.6f and < 0.6f)
            return x is > -0.38f and < 0.38f && y is > -0.48f and < 0.48f && x is > 0.04f or < -0.04f ? Glass(hit, light, house.Seed + 7, 0.3f, x, y, 0, 0) : Paint.Of(house.Frame);
        return Wall(hit, house, light, u, z, 9);
    }

    /// <summary>A window and what belongs around it; null where the wall goes on.</summary>
    private static Paint? Window(in Hit hit, House house, Daylight light, int floor, int bay, float x, float y, float du, float dz, float width, float height, WindowForm form)
    {
        var half = width * 0.5f;
        var side = x < 0 ? -x : x;
        if (y is < 0 and > -0.12f && side < half + 0.12f)
            return form == WindowForm.French ? null : Paint.Of(house.Trim * (y > -0.05f ? 1.1f : 0.75f));
        if (y is < -0.12f and > -0.3f && side < half + 0.08f && form != WindowForm.French)
            return Paint.Of(FacadePainter.Material(hit, house.Masonry, house.Wall, house.Seed, hit.U, hit.Z) * 0.62f);
        if (y < 0)
            return null;
        var crown = form == WindowForm.Arched ? height - half * 0.9f : height;
        bool Inside(float px, float py, float grow)
        {
            var s = px < 0 ? -px : px;
            if (s > half + grow || py < -grow)
                return false;
            if (form != WindowForm.Arched)
                return py < height + grow;
            var above = py - crown;
            return above < 0 || px * px + above * above < (half + grow) * (half + grow);
        }
        if (!Inside(x, y, 0))
        {
            if (form == WindowForm.Shuttered && side < half * 1.9f && side > half && y < height)
                return Paint.Of(house.Accent * (Plain.Fraction(y / 0.11f) < 0.3f ? 1 - 0.4f * hit.Shows(0.11f) : 1) * (side < half * 1.08f ? 0.7f : 1));
            if (house.Keystones && Inside(x, y, 0.14f))
                return Paint.Of(side < 0.12f && y > height ? house.Trim * 1.15f : house.Trim);
            if (y > height && y < height + 0.2f && side < half + 0.15f && form != WindowForm.Arched && house.StringCourse)
                return Paint.Of(house.Trim * 0.9f);
            return null;
        }
        float ix = x + du * Reveal, iy = y + dz * Reveal;
        if (!Inside(ix, iy, 0))
            return Paint.Of(house.Wall * (iy > height ? 0.3f : 0.62f), 0.7f);
        if (!Inside(ix, iy, -0.07f))
            return Paint.Of(house.Frame * 0.9f, 0.8f);
        var bars = form switch
        {
            WindowForm.Plain => ix is > -0.035f and < 0.035f,
            WindowForm.Wide => Plain.Fraction((ix + half) / width * 3) < 0.05f,
            WindowForm.French => ix is > -0.05f and < 0.05f || iy is > 1.55f and < 1.62f,
            WindowForm.Arched => ix is > -0.035f and < 0.035f || iy > crown - 0.05f && iy < crown + 0.02f,
            _ => ix is > -0.03f and < 0.03f || Plain.Fraction(iy / height * 3) < 0.06f,
        };
        if (bars)
            return Paint.Of(house.Frame * 0.85f, 0.8f);
        return Glass(hit, light, house.Seed + (uint)(floor * 16 + bay), height, ix, iy, du, dz);
    }

    /// <summary>A pane: curtains, the dark room, at night its light; and the sky in it.</summary>
    private static Paint Glass(in Hit hit, Daylight light, uint seed, float height, float x, float y, float du, float dz)
    {
        var home = new Dice(seed);
        var now = new Dice(Dice.Mix(seed, light.Seed));
        var side = x < 0 ? -x : x;
        var curtain = home.Unit(0);
        bool drawn = now.Chance(1, 0.15f), blind = now.Chance(2, 0.2f) && y > height * now.Range(3, 0.2f, 0.9f);
        var behind = new Rgb(0.05f, 0.055f, 0.06f);
        if (drawn || curtain < 0.5f && side > 0.18f + curtain)
            behind = Rgb.Lerp(new Rgb(0.6f, 0.58f, 0.52f), new Rgb(home.Unit(4), home.Unit(5), home.Unit(6)) * 0.5f, 0.5f) * (0.7f + 0.3f * Noise.Cell((int)((x + 9) * 14), 3));
        if (blind)
            behind = Rgb.Grey(0.5f) * (Plain.Fraction(y * 12) < 0.4f ? 0.8f : 1);
        var paint = Paint.Of(behind * 0.7f, 0.75f);
        paint.Shine = 0.22f + 0.3f * home.Unit(7);
        if (now.Chance(8, light.LitShare))
        {
            var warm = Rgb.Lerp(new Rgb(1f, 0.66f, 0.3f), new Rgb(0.75f, 0.85f, 1f), now.Chance(9, 0.2f) ? 1 : 0.15f);
            paint.Glow = (behind + Rgb.Grey(0.22f)) * warm * (light.Dark ? now.Range(10, 0.5f, 1.1f) : 0.5f);
            paint.Shine *= 0.5f;
        }
        return paint;
    }
}
