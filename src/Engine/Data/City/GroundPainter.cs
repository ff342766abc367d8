namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Roads, pavements, courts: asphalt or cobbles, markings, joints, and what the weather leaves on them.</summary>
internal static class GroundPainter
{
    public static Paint At(in Hit hit, Daylight light)
    {
        float x = hit.At.X, y = hit.At.Y;
        var street = hit.Piece.Street;
        var (s, lateral) = street?.Of(hit.At) ?? (x, y);
        var off = lateral < 0 ? -lateral : lateral;
        var paint = Paint.Of(Rgb.Grey(0.2f));
        switch (hit.Piece.Surface)
        {
            case Surface.Road or Surface.Contact when street != null:
                paint.Albedo = Road(hit, street, s, lateral, off);
                if (hit.Piece.Surface == Surface.Contact)
                    paint.Open = 0.35f;
                else if (street.Kerb - off < 0.35f)
                    paint.Open = 0.85f;
                break;
            case Surface.Pavement:
            {
                var slab = Noise.Cell(Plain.Floor(s / 0.8f), Plain.Floor(lateral / 0.6f));
                var joint = (Plain.Fraction(s / 0.8f) < 0.05f || Plain.Fraction(lateral / 0.6f) < 0.06f) && hit.Shows(0.3f) > 0.4f;
                paint.Albedo = new Rgb(0.24f, 0.23f, 0.21f) * (0.8f + 0.3f * slab) * (joint ? 0.65f : 1) * (0.92f + 0.16f * Noise.Value(x * 3, y * 3));
                var wall = street == null ? 9 : street.Half - off;
                paint.Open = 0.62f + 0.38f * Plain.Smooth(0, 1.3f, wall);
                break;
            }
            case Surface.Kerb:
                paint.Albedo = Rgb.Grey(0.3f) * (Plain.Fraction(hit.U) < 0.04f ? 0.6f : 1);
                return paint;
            case Surface.Court:
                paint.Albedo = Rgb.Lerp(new Rgb(0.10f, 0.16f, 0.05f), new Rgb(0.22f, 0.17f, 0.11f), Noise.Value(x * 0.6f, y * 0.6f));
                break;
            default:
                paint.Albedo = Rgb.Grey(0.09f) * (0.85f + 0.3f * Noise.Value(x * 2.3f, y * 2.3f));
                break;
        }
        Weather(hit, light, ref paint, x, y, off, street);
        return paint;
    }

    private static Rgb Road(in Hit hit, Street street, float s, float lateral, float off)
    {
        float x = hit.At.X, y = hit.At.Y;
        if (street.Cobbled)
        {
            var row = Plain.Floor(s / 0.16f);
            var stone = Noise.Cell(row, Plain.Floor(lateral / 0.16f + (row & 1) * 0.5f));
            var tone = 0.75f + (stone - 0.5f) * 0.5f * hit.Shows(0.16f) + 0.35f * Noise.Value(x * 0.7f, y * 0.7f);
            return new Rgb(0.17f, 0.155f, 0.14f) * tone * (street.Kerb - off < 0.4f ? 0.75f : 1);
        }
        var patch = Noise.Value(x * 0.22f + 40, y * 0.22f);
        var asphalt = Rgb.Grey(0.085f + (patch > 0.68f ? -0.03f : 0) + 0.03f * Noise.Value(x * 1.7f, y * 1.7f)) * (0.9f + 0.2f * Noise.Cell((int)(x * 24), (int)(y * 24)) * hit.Shows(0.08f));
        var cross = street.Half + 2;
        var zebra = street.Dice.Chance(20, 0.6f);
        var mark = false;
        if (zebra && (s > cross + 0.5f && s < cross + 3.2f || s < street.Length - cross - 0.5f && s > street.Length - cross - 3.2f))
            mark = Plain.Fraction(lateral) < 0.5f;
        else if (off < 0.07f)
            mark = Plain.Fraction(s / 6) < 0.5f;
        else if (street.Kerb - off is > 2.1f and < 2.2f)
            mark = street.Dice.Chance(21, 0.5f);
        return mark && Noise.Value(x * 4, y * 4) > 0.22f ? Rgb.Grey(0.62f) : asphalt;
    }

    private static void Weather(in Hit hit, Daylight light, ref Paint paint, float x, float y, float off, Street? street)
    {
        if (light.Fallen > 0 && hit.Piece.Surface != Surface.Court)
        {
            var drift = Noise.Value(x * 0.5f, y * 0.5f) * (street == null ? 0.6f : 0.45f + 0.6f * Plain.Smooth(1, street.Kerb, off));
            if (Noise.Cell((int)(x * 11), (int)(y * 11)) < (drift - 0.35f) * light.Fallen * 1.6f)
                paint.Albedo = Rgb.Lerp(light.LeafA, light.LeafB, Noise.Cell((int)(y * 11), (int)(x * 11))) * 0.8f;
        }
        if (light.Snow > 0)
        {
            var depth = 0.75f + 0.5f * Noise.Value(x * 0.8f, y * 0.8f);
            if (hit.Piece.Surface is Surface.Road or Surface.Contact)
            {
                // Wheels clear two tracks a lane.
                var track = (off is > 0.75f and < 1.2f) || (off is > 2.2f and < 2.7f);
                depth -= track ? 0.75f : 0.3f;
            }
            else if (hit.Piece.Surface == Surface.Asphalt)
                depth -= 0.4f;
            paint.Albedo = Rgb.Lerp(paint.Albedo, new Rgb(0.82f, 0.85f, 0.9f), light.Snow * Plain.Smooth(0.3f, 0.75f, depth));
        }
        if (light.Wet > 0)
        {
            paint.Albedo *= 0.55f;
            var puddle = Plain.Smooth(0.45f, 0.75f, Noise.Value(x * 0.55f + 3, y * 0.55f));
            var grazing = 1 - Plain.Clamp01(-hit.Slope * 1.5f);
            paint.Shine = light.Wet * (0.12f + 0.5f * puddle) * (0.25f + 0.75f * grazing);
        }
    }
}
