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

    private static bool Person(Piece piece, float u, float z)
    {
        float x = u - piece.Length * 0.5f, h = z / piece.Top, side = x < 0 ? -x : x;
        var stride = 0.05f + 0.09f * ((piece.Seed & 7) / 7f);
        if (h > 0.86f)
            return side * side / 0.0121f + (h - 0.93f) * (h - 0.93f) / 0.0049f < 1;
        if (h > 0.5f)
            return side < 0.15f + 0.10f * (h - 0.5f) + ((piece.Seed & 8) != 0 && h < 0.62f ? 0.08f : 0);
        var spread = stride * (0.5f - h) * 2;
        return side > spread - 0.08f && side < spread + 0.09f;
    }
}
