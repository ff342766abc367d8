namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Everything that is neither a façade nor the ground: roofs, side walls, railings, cars, people, trees, scaffolds.</summary>
internal static class ThingPainter
{
    public static Paint At(in Hit hit, Daylight light)
    {
        var piece = hit.Piece;
        switch (piece.Surface)
        {
            case Surface.SideWall:
                var house = piece.House;
                if (house == null)
                    return Paint.Of(FacadePainter.Material(hit, Masonry.Stone, piece.Paint, piece.Seed, hit.U, hit.Z) * (piece.Detail > 0 && hit.Z > piece.Top - 5 && Tower(hit) ? 0.2f : 1), 0.9f);
                return Paint.Of(FacadePainter.Material(hit, house.Masonry == Masonry.Brick ? Masonry.Brick : Masonry.Plaster, house.Wall * 0.85f, house.Seed + 5, hit.U, hit.Z), 0.85f);
            case Surface.Roof:
                return Roof(hit, light);
            case Surface.FlatRoof:
                return Paint.Of(Rgb.Lerp(piece.Paint, new Rgb(0.82f, 0.85f, 0.9f), light.Snow));
            case Surface.Chimney:
                return Paint.Of(FacadePainter.Material(hit, Masonry.Brick, piece.Paint, piece.Seed, hit.U, hit.Z) * (piece.Top - hit.Z < 0.2f ? 0.6f : 1));
            case Surface.Plate:
                return Plate(hit, light);
            case Surface.Railing:
                return Paint.Of(piece.Detail >= 2 ? piece.House!.Trim * 0.9f : new Rgb(0.03f, 0.03f, 0.035f) + piece.House!.Accent * 0.25f);
            case Surface.Awning:
            {
                var along = piece.Upright ? hit.U : Flat.Dot(hit.At - piece.House!.Origin, piece.House.Axis);
                var stripe = Plain.Fraction(along / 0.7f) < 0.5f && (piece.House!.SignSeed & 16) != 0;
                return Paint.Of(stripe ? new Rgb(0.75f, 0.73f, 0.68f) : piece.House!.SignGround, hit.Slope > 0 && !piece.Upright ? 0.55f : 1);
            }
            case Surface.HangingSign:
            {
                float x = hit.U / piece.Length, y = (hit.Z - piece.Bottom) / (piece.Top - piece.Bottom);
                var ink = Sign.Ink(piece.Seed ^ 0x55, 1, x, y, hit.Grain);
                var rim = x is < 0.07f or > 0.93f || y is < 0.07f or > 0.93f;
                var paint = Paint.Of(rim ? piece.House!.SignInk : Rgb.Lerp(piece.House!.SignGround, piece.House.SignInk, ink));
                if (light.Dark)
                    paint.Glow = paint.Albedo * 0.3f;
                return paint;
            }
            case Surface.Crown:
                return Crown(hit, light);
            case Surface.LampPost:
            {
                var paint = Paint.Of(new Rgb(0.05f, 0.06f, 0.06f));
                if (hit.Z > piece.Top - 0.45f)
                {
                    paint.Albedo = Rgb.Grey(0.5f);
                    paint.Glow = light.LampColour * (light.Lamps * 5);
                }
                return paint;
            }
            case Surface.Person:
                return Person(hit);
            case Surface.Hedge:
                return Paint.Of(Rgb.Lerp(new Rgb(0.05f, 0.12f, 0.03f) * (0.5f + Noise.Value(hit.U * 9, hit.Z * 9)), new Rgb(0.7f, 0.73f, 0.78f), light.Snow * Plain.Smooth(0.5f, 1, hit.Z / piece.Top)), 0.6f + 0.3f * hit.Z);
            case Surface.Scaffold:
            {
                var plank = Plain.Fraction(hit.Z / 2.1f) < 0.07f;
                var bar = Plain.Fraction(hit.U / 2.2f) < 0.05f || Plain.Fraction(hit.Z / 2.1f) is > 0.46f and < 0.49f;
                return Paint.Of(plank ? new Rgb(0.4f, 0.28f, 0.14f) : bar ? Rgb.Grey(0.45f) : piece.Paint * (0.8f + 0.4f * Noise.Value(hit.U * 0.9f, hit.Z * 0.4f)));
            }
            case Surface.CarSide or Surface.CarSkin or Surface.CarGlass or Surface.CarEnd:
                return Car(hit, light);
            default:
                return Paint.Of(piece.Paint);
        }
    }

    private static bool Tower(in Hit hit)
    {
        float x = hit.U - hit.Piece.Length * 0.5f, y = hit.Z - (hit.Piece.Top - 3);
        return x is > -0.7f and < 0.7f && y is > -1.5f and < 1;
    }

    private static Paint Roof(in Hit hit, Daylight light)
    {
        var piece = hit.Piece;
        var axis = piece.House?.Axis ?? new Flat(1, 0);
        float along = Flat.Dot(hit.At, axis), row = hit.Z / 0.3f;
        var tile = Noise.Cell(Plain.Floor(along / 0.3f + (Plain.Floor(row) & 1) * 0.5f), Plain.Floor(row));
        var shows = hit.Shows(0.3f);
        var colour = piece.Paint * (0.9f + 0.3f * (tile - 0.4f) * shows + 0.25f * (Noise.Value(along * 0.6f, hit.Z * 0.8f) - 0.5f)) * (Plain.Fraction(row) < 0.18f ? 1 - 0.4f * shows : 1);
        if (hit.Slope > 0 && hit.Slope > -(piece.SlopeX * hit.Direction.X + piece.SlopeY * hit.Direction.Y) && hit.Z - 1.2f > 0 && Below(hit))
            return Paint.Of(new Rgb(0.2f, 0.16f, 0.12f), 0.5f);
        if (light.Snow > 0)
            colour = Rgb.Lerp(colour, new Rgb(0.83f, 0.86f, 0.91f), light.Snow * Plain.Smooth(0.15f, 0.4f, Noise.Value(along * 0.7f, hit.Z * 0.9f) + 0.15f));
        var paint = Paint.Of(colour);
        paint.Shine = light.Wet * 0.18f;
        return paint;
    }

    /// <summary>Whether the camera looks at the underside.</summary>
    private static bool Below(in Hit hit)
        => hit.Slope - (hit.Piece.SlopeX * hit.Direction.X + hit.Piece.SlopeY * hit.Direction.Y) > 0;

    private static Paint Plate(in Hit hit, Daylight light)
    {
        var house = hit.Piece.House!;
        if (hit.Piece.Detail > 0)
        {
            // The face of a dormer: a window in boards.
            float x = hit.U - hit.Piece.Length * 0.5f, y = hit.Z - hit.Piece.Bottom;
            if (x is > -0.42f and < 0.42f && y is > 0.3f and < 1.4f)
            {
                if (x is < -0.35f or > 0.35f or > -0.03f and < 0.03f)
                    return Paint.Of(house.Frame);
                var glass = Paint.Of(Rgb.Grey(0.05f));
                glass.Shine = 0.35f;
                if (new Dice(Dice.Mix(house.Seed, light.Seed)).Chance(Plain.Floor(hit.Piece.A.X * 3), light.LitShare))
                    glass.Glow = new Rgb(0.7f, 0.45f, 0.2f);
                return glass;
            }
            return Paint.Of(house.Trim * 0.8f);
        }
        return Paint.Of(house.Trim * 0.8f, hit.Piece.Upright ? 1 : 0.55f);
    }

    private static Paint Crown(in Hit hit, Daylight light)
    {
        var piece = hit.Piece;
        var part = Tree.At((int)piece.Detail, hit.U / piece.Length, hit.Z / piece.Top, piece.Paint.R);
        var (leaf, bright) = part ?? (false, 0.5f);
        if (!leaf)
            return Paint.Of(Rgb.Lerp(new Rgb(0.17f, 0.13f, 0.1f) * (0.5f + bright), new Rgb(0.8f, 0.83f, 0.88f), light.Snow * (hit.Z > piece.Top * 0.35f ? 0.45f : 0.1f)));
        var own = new Dice(piece.Seed).Unit(0);
        var colour = Tree.Evergreen((int)piece.Detail) ? new Rgb(0.03f, 0.09f, 0.05f) : Rgb.Lerp(light.LeafA, light.LeafB, Plain.Clamp01(own + 0.5f * (Noise.Cell((int)(hit.U * 7), (int)(hit.Z * 7)) - 0.5f)));
        colour *= 0.25f + 1.5f * bright * bright;
        return Paint.Of(Rgb.Lerp(colour, new Rgb(0.8f, 0.83f, 0.88f), light.Snow * Plain.Smooth(0.45f, 0.7f, bright)), 0.95f);
    }

    private static Paint Person(in Hit hit)
    {
        var dice = new Dice(hit.Piece.Seed);
        var h = hit.Z / hit.Piece.Top;
        float x = hit.U - hit.Piece.Length * 0.5f;
        var round = 1 - 1.5f * x;
        if (h > 0.86f)
            return Paint.Of((h > 0.945f || dice.Chance(1, 0.4f) ? new Rgb(0.1f, 0.06f, 0.03f) * dice.Range(2, 0.3f, 4) : new Rgb(0.5f, 0.33f, 0.24f) * dice.Range(3, 0.4f, 1.2f)) * round);
        var tint = new Rgb(dice.Unit(4), dice.Unit(5) * 0.8f, dice.Unit(6));
        var cloth = Rgb.Lerp(Rgb.Grey(0.03f + 0.4f * dice.Unit(7) * dice.Unit(7)), tint * 0.5f, dice.Chance(9, 0.3f) ? 0.8f : 0.2f);
        var trousers = new Rgb(0.06f, 0.07f, 0.11f) * dice.Range(8, 0.5f, 3);
        return Paint.Of((h > ((hit.Piece.Seed & 16) != 0 ? 0.3f : 0.48f) ? cloth : trousers) * round * (h < 0.05f ? 0.4f : 1));
    }

    private static Paint Car(in Hit hit, Daylight light)
    {
        var piece = hit.Piece;
        var snow = new Rgb(0.8f, 0.83f, 0.88f);
        var paint = Paint.Of(piece.Paint, 0.9f);
        switch (piece.Surface)
        {
            case Surface.CarSide:
            {
                var wheel = Cutout.Wheel(piece, hit.U, hit.Z);
                if (wheel < 0.34f)
                    return Paint.Of(wheel < 0.2f ? Rgb.Grey(0.35f) : Rgb.Grey(0.02f));
                if (wheel < 0.4f)
                    return Paint.Of(Rgb.Grey(0.03f), 0.5f);
                var top = piece.TopAt(hit.U);
                if (hit.Z > piece.Detail + 0.05f && hit.Z < top - 0.08f)
                {
                    var post = Plain.Fraction(hit.U / piece.Length * 5) < 0.06f;
                    if (!post)
                        return new Paint { Albedo = Rgb.Grey(0.03f), Open = 1, Shine = 0.3f };
                }
                var door = Plain.Fraction(hit.U / 1.1f) < 0.02f ? 0.5f : 1;
                paint.Albedo = piece.Paint * (0.62f + 0.45f * hit.Z / 1.0f) * door;
                paint.Shine = 0.06f;
                paint.Albedo *= hit.Z < 0.38f ? 0.5f : 1;
                if (hit.Z > 1.6f && (piece.Seed & 3) == 0)
                    paint.Albedo = Rgb.Lerp(paint.Albedo, Rgb.Grey(0.7f) - piece.Paint * 0.5f, Sign.Ink(piece.Seed, 5, hit.U / piece.Length, (hit.Z - 1.2f) / 0.9f, hit.Grain));
                break;
            }
            case Surface.CarGlass:
                paint.Albedo = Rgb.Lerp(Rgb.Grey(0.03f), snow, light.Snow * 0.6f);
                paint.Shine = 0.4f;
                break;
            case Surface.CarEnd:
                float u = hit.U / piece.Length;
                var front = piece.Detail > 0;
                if (hit.Z is > 0.55f and < 0.75f && u is > 0.06f and < 0.24f or > 0.76f and < 0.94f && hit.Z is > 0.55f and < 0.75f)
                {
                    paint.Albedo = front ? Rgb.Grey(0.7f) : new Rgb(0.4f, 0.02f, 0.02f);
                    if (light.Lamps > 0 && (piece.Seed & 1) == 0)
                        paint.Glow = (front ? new Rgb(4f, 3.7f, 3f) : new Rgb(0.9f, 0.04f, 0.03f)) * light.Lamps;
                }
                else if (hit.Z is > 0.42f and < 0.52f && u is > 0.35f and < 0.65f)
                    paint.Albedo = Rgb.Grey(0.65f);
                else if (hit.Z < 0.42f)
                    paint.Albedo = Rgb.Grey(0.04f);
                else
                    paint.Albedo *= 0.85f;
                break;
            default:
                paint.Albedo = Rgb.Lerp(piece.Paint, snow, light.Snow * 0.85f);
                paint.Shine = 0.15f;
                break;
        }
        return paint;
    }
}
