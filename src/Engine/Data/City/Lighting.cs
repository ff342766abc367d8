namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Light that falls on a point: sky, sun past the houses opposite, street lamps.</summary>
internal static class Lighting
{
    public static Rgb At(in Hit hit, Daylight light, float open)
    {
        var piece = hit.Piece;
        var sky = 0.62f + 0.38f * piece.NormalZ;
        var facing = piece.NormalX * light.SunX + piece.NormalY * light.SunY + piece.NormalZ * light.SunZ;
        if (piece.Surface is Surface.Crown or Surface.Person or Surface.LampPost)
            (facing, sky) = (0.55f, 0.8f);
        // The underside of a balcony or a roof sees the street, not the sky.
        if (!piece.Upright && hit.Slope > piece.SlopeX * hit.Direction.X + piece.SlopeY * hit.Direction.Y)
            (facing, sky) = (-1, 0.45f);
        var sum = light.Ambient * (sky * open);
        if (facing > 0)
            sum += light.Sun * (facing * Sunlit(hit, light) * (0.5f + 0.5f * open));
        if (light.Lamps > 0 && piece.Street is { } street)
            sum += light.LampColour * (Lamps(hit, street) * light.Lamps * (0.4f + 0.6f * open));
        return sum;
    }

    /// <summary>What a pane or a puddle mirrors: sky, or the dim houses opposite.</summary>
    public static Rgb Mirror(in Hit hit, Daylight light, uint skyline)
    {
        var piece = hit.Piece;
        float nx = piece.NormalX, ny = piece.NormalY, nz = piece.NormalZ;
        var dot = 2 * (hit.Direction.X * nx + hit.Direction.Y * ny + hit.Slope * nz);
        var direction = new Flat(hit.Direction.X - dot * nx, hit.Direction.Y - dot * ny);
        var slope = hit.Slope - dot * nz;
        // Houses opposite end about 30 degrees up; lit windows among them at night.
        if (slope < 0.55f + 0.25f * Noise.Value(hit.At.X * 0.15f, hit.At.Y * 0.15f))
            return light.Ambient * 0.3f + (light.Dark && nz > 0.5f ? light.LampColour * (0.10f * Noise.Value(hit.At.X * 0.6f, hit.At.Y * 0.6f)) : Rgb.Black);
        return Sky.At(light, skyline, direction, slope);
    }

    /// <summary>Share of the sun that the houses across the street let pass, soft at the shadow's edge.</summary>
    private static float Sunlit(in Hit hit, Daylight light)
    {
        if (hit.Piece.Street is not { } street || light.Sun.R < 0.2f)
            return 1;
        var shade = hit.Piece.Upright && hit.Z > 6 ? 1 : TreeShade(hit, light, street);
        var (s, lateral) = street.Of(hit.At);
        float ss = light.SunX * street.Along.X + light.SunY * street.Along.Y, sl = light.SunX * street.Right.X + light.SunY * street.Right.Y;
        var steep = sl < 0 ? -sl : sl;
        if (steep < 0.05f)
            return shade;
        var distance = ((sl > 0 ? street.Half : -street.Half) - lateral) / sl;
        if (distance < 0.3f)
            return shade;
        var blocked = street.HeightAt(s + ss * distance, sl > 0) - (hit.Z + light.SunZ * distance);
        return shade * (1 - Plain.Smooth(-0.15f - distance * 0.01f, 0.15f + distance * 0.01f, blocked));
    }

    /// <summary>Share of the sun that the street's trees let pass: a blotched disc at each crown's height.</summary>
    private static float TreeShade(in Hit hit, Daylight light, Street street)
    {
        var pass = 1f;
        foreach (var tree in street.Trees)
        {
            float up = tree.Height * 0.65f - hit.Z, dx = hit.At.X - tree.At.X, dy = hit.At.Y - tree.At.Y;
            if (up < 0.3f || dx is > 25 or < -25 || dy is > 25 or < -25)
                continue;
            var reach = up / light.SunZ;
            dx += light.SunX * reach;
            dy += light.SunY * reach;
            float r = tree.Height * 0.36f, square = (dx * dx + dy * dy) / (r * r);
            if (square < 1.3f)
                pass = Math.Min(pass, 1 - (0.35f + 0.55f * light.Foliage) * Plain.Smooth(0.1f, 0.45f, 1.15f - square - 0.6f * Noise.Value(hit.At.X * 3, hit.At.Y * 3 + hit.Z * 3)));
        }
        return pass;
    }

    private static float Lamps(in Hit hit, Street street)
    {
        var (s, lateral) = street.Of(hit.At);
        var nearest = Plain.Floor((s - 11) / Street.LampStep + 0.5f);
        var sum = 0f;
        for (var k = nearest - 1; k <= nearest + 1; k++)
        {
            if (k < 0 || 11 + k * Street.LampStep >= street.Length - 8)
                continue;
            float ds = s - 11 - k * Street.LampStep, dl = lateral - ((k & 1) == 0 ? street.Kerb + 0.4f : -street.Kerb - 0.4f), dz = 5.2f - hit.Z;
            var square = ds * ds + dl * dl + dz * dz;
            var facing = hit.Piece.NormalZ > 0.5f ? (dz > 0 ? dz / MathF.Sqrt(square) : 0) : 0.6f;
            sum += 9f * facing / (square + 3);
        }
        return sum;
    }
}
