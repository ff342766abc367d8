namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Value noise from one table of 256×256 hashed numbers that repeats; the grain of plaster, asphalt, clouds and leaves.</summary>
internal static class Noise
{
    private const int Size = 256;
    private static readonly float[] Table = Fill();

    /// <summary>In [0, 1); one cell a unit, nothing between cells.</summary>
    public static float Cell(int x, int y) => Table[((y & (Size - 1)) * Size) + (x & (Size - 1))];

    /// <summary>In [0, 1); bilinear between cells.</summary>
    public static float Value(float x, float y)
    {
        int xi = Plain.Floor(x), yi = Plain.Floor(y);
        float u = x - xi, v = y - yi;
        u = u * u * (3 - 2 * u);
        v = v * v * (3 - 2 * v);
        int r0 = (yi & (Size - 1)) * Size, r1 = ((yi + 1) & (Size - 1)) * Size, c0 = xi & (Size - 1), c1 = (xi + 1) & (Size - 1);
        float a = Table[r0 + c0], b = Table[r0 + c1], c = Table[r1 + c0], d = Table[r1 + c1];
        var top = a + (b - a) * u;
        return top + (c + (d - c) * u - top) * v;
    }

    /// <summary>Three octaves, in [0, 1).</summary>
    public static float Clouds(float x, float y)
        => Value(x, y) * 0.55f + Value(x * 2.1f + 17.3f, y * 2.1f + 5.1f) * 0.29f + Value(x * 4.3f + 3.7f, y * 4.3f + 11.9f) * 0.16f;

    private static float[] Fill()
    {
        var dice = new Dice(0x51E57A);
        var table = new float[Size * Size];
        for (var i = 0; i < table.Length; i++)
            table[i] = dice.Unit(i);
        return table;
    }
}
