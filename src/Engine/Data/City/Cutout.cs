namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Where a pierced piece is solid.</summary>
internal static class Cutout
{
    /// <param name="u">Metres from A.</param>
    /// <param name="z">Metres above the road.</param>
    /// <param name="grain">Metres a sample covers there: bars thinner than it are kept as a share of samples.</param>
    public static bool Solid(Piece piece, float u, float z, float grain)
    {
        switch (piece.Surface)
        {
            case Surface.Railing:
                var high = z - piece.Bottom;
                if (high > 0.92f || high < 0.06f)
                    return true;
                return piece.Detail switch
                {
                    0 => Plain.Fraction(u * 8) < 0.36f,
                    1 => Plain.Fraction((u + high) * 4) < 0.2f || Plain.Fraction((u - high) * 4) < 0.2f,
                    _ => high < 0.75f,
                };
            case Surface.Crown:
                return Tree.At((int)piece.Detail, u / piece.Length, z / piece.Top, piece.Paint.R) != null;
            case Surface.Person:
                return Person(piece, u, z);
            case Surface.CarSide:
                if (z > 0.32f)
                    return true;
                return Wheel(piece, u, z) < 0.34f;
            case Surface.Scaffold:
                return Plain.Fraction(u / 2.2f) < 0.05f || Plain.Fraction(z / 2.1f) is < 0.07f or > 0.46f and < 0.49f || (piece.Seed >> 3 + (int)(u / 2.2f) * 5 % 7 & 1) != 0;
            case Surface.Hedge:
                return z < piece.Top - 0.3f * Noise.Value(u * 5, piece.Seed & 63);
            default:
                return true;
        }
    }

    /// <summary>Distance of a point of a car's side to the nearer axle.</summary>
    public static float Wheel(Piece piece, float u, float z)
    {
        float front = u - piece.Length * 0.2f, rear = u - piece.Length * 0.8f, dz = z - 0.33f;
        return MathF.Sqrt(Math.Min(front * front, rear * rear) + dz * dz);
    }

    /// <summary>A walker: head, neck, shoulders, arms, a coat or a jacket, legs in mid-step, at times a bag.</summary>
    private static bool Person(Piece piece, float u, float z)
    {
        float x = u - piece.Length * 0.5f, h = z / piece.Top, side = x < 0 ? -x : x;
        var seed = piece.Seed;
        var step = 0.03f + 0.11f * ((seed & 7) / 7f);
        if (h > 0.86f)
            return side * side / 0.0100f + (h - 0.93f) * (h - 0.93f) / 0.0042f < 1 || h < 0.88f && side < 0.06f;
        if (h > 0.46f)
        {
            // Shoulders slope, arms hang a little away from the body.
            var shoulder = h > 0.8f ? 0.23f - (h - 0.8f) * 2.4f : 0.23f;
            var body = 0.14f + ((seed & 16) != 0 && h < 0.6f ? 0.05f : 0);
            return side < body || side < shoulder && (side > shoulder - 0.085f || h > 0.74f) || (seed & 96) == 0 && x > 0.2f && x < 0.38f && h < 0.6f;
        }
        if ((seed & 16) != 0 && h > 0.3f)
            return side < 0.17f + (0.46f - h) * 0.3f;
        var spread = step * (0.46f - h) / 0.46f + 0.02f;
        var lean = (seed & 8) != 0 ? 1 : -1;
        var legs = x * lean;
        return legs > spread - 0.01f && legs < spread + 0.13f || legs < -spread * 0.7f && legs > -spread * 0.7f - 0.13f;
    }
}
