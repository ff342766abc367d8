namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>A point or direction on the ground in metres: x to the east, y to the north.</summary>
/// <remarks>Own vectors, not System.Numerics: those may fuse or reorder by instruction set, and the pictures must not.</remarks>
internal readonly record struct Flat(float X, float Y)
{
    public float Length => MathF.Sqrt(X * X + Y * Y);

    public Flat Unit => this / Length;

    /// <summary>A quarter turn clockwise: the right hand of someone who looks along this.</summary>
    public Flat Right => new(Y, -X);

    public static Flat operator +(Flat a, Flat b) => new(a.X + b.X, a.Y + b.Y);

    public static Flat operator -(Flat a, Flat b) => new(a.X - b.X, a.Y - b.Y);

    public static Flat operator *(Flat a, float s) => new(a.X * s, a.Y * s);

    public static Flat operator /(Flat a, float s) => new(a.X / s, a.Y / s);

    public static float Dot(Flat a, Flat b) => a.X * b.X + a.Y * b.Y;

    public static float Cross(Flat a, Flat b) => a.X * b.Y - a.Y * b.X;

    public static Flat Lerp(Flat a, Flat b, float t) => new(a.X + (b.X - a.X) * t, a.Y + (b.Y - a.Y) * t);
}

/// <summary>Linear light, 1 is a white wall at noon; not bounded above.</summary>
internal readonly record struct Rgb(float R, float G, float B)
{
    public static readonly Rgb Black = new(0, 0, 0);

    public static Rgb Grey(float v) => new(v, v, v);

    public float Luma => 0.25f * R + 0.6f * G + 0.15f * B;

    public static Rgb operator +(Rgb a, Rgb b) => new(a.R + b.R, a.G + b.G, a.B + b.B);

    public static Rgb operator -(Rgb a, Rgb b) => new(Math.Max(0, a.R - b.R), Math.Max(0, a.G - b.G), Math.Max(0, a.B - b.B));

    public static Rgb operator *(Rgb a, Rgb b) => new(a.R * b.R, a.G * b.G, a.B * b.B);

    public static Rgb operator *(Rgb a, float s) => new(a.R * s, a.G * s, a.B * s);

    public static Rgb Lerp(Rgb a, Rgb b, float t) => new(a.R + (b.R - a.R) * t, a.G + (b.G - a.G) * t, a.B + (b.B - a.B) * t);
}

/// <summary>Small functions out of plain operations alone.</summary>
internal static class Plain
{
    private static readonly (double Sin, double Cos)[] Circle = Turn();

    public static float Clamp01(float v) => v < 0 ? 0 : v > 1 ? 1 : v;

    /// <summary>0 below <paramref name="low"/>, 1 above <paramref name="high"/>, smooth between.</summary>
    public static float Smooth(float low, float high, float v)
    {
        var t = Clamp01((v - low) / (high - low));
        return t * t * (3 - 2 * t);
    }

    /// <summary>Rounds down; exact, and cheaper than the library's for the range of a city.</summary>
    public static int Floor(float v)
    {
        var i = (int)v;
        return v < i ? i - 1 : i;
    }

    public static float Fraction(float v) => v - Floor(v);

    /// <summary>Unit vector of a compass heading in whole degrees, clockwise from north.</summary>
    public static Flat Heading(int degrees)
    {
        var (sin, cos) = Circle[((degrees % 360) + 360) % 360];
        return new((float)sin, (float)cos);
    }

    /// <summary>The whole degree nearest to a direction.</summary>
    public static int DegreesOf(Flat direction)
    {
        var best = 0;
        for (var d = 1; d < 360; d++)
            if (Flat.Dot(Heading(d), direction) > Flat.Dot(Heading(best), direction))
                best = d;
        return best;
    }

    /// <summary>
    /// The circle in whole degrees by turning a quarter from its ends, one degree a time: a library sine may differ by a bit between
    /// machines, products don't. The error after 45 turns is below 1e-14.
    /// </summary>
    private static (double, double)[] Turn()
    {
        const double sin1 = 0.017452406437283512, cos1 = 0.9998476951563913;
        var table = new (double Sin, double Cos)[360];
        double s = 0, c = 1;
        for (var d = 0; d <= 45; d++)
        {
            table[d] = (s, c);
            table[90 - d] = (c, s);
            (s, c) = (s * cos1 + c * sin1, c * cos1 - s * sin1);
        }
        for (var d = 91; d < 360; d++)
            table[d] = (table[d - 90].Cos, -table[d - 90].Sin);
        return table;
    }
}
