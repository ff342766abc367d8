namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Shop signs in an invented script: each glyph is a few strokes between the nine points of a square.</summary>
internal static class Sign
{
    /// <summary>How much ink covers a point of a sign, 0..1.</summary>
    /// <param name="x">0..1 along the sign.</param>
    /// <param name="y">0..1 from its lower edge.</param>
    /// <param name="blur">Width of a sample, as a share of the sign's height.</param>
    public static float Ink(uint seed, int glyphs, float x, float y, float blur)
    {
        var dice = new Dice(seed);
        // Signs differ in their margins and may begin with an emblem.
        float margin = dice.Range(0, 0.04f, 0.2f), along = (x - margin) / (1 - 2 * margin) * glyphs;
        float gy = (y - 0.5f) / 0.72f + 0.5f;
        var n = Plain.Floor(along);
        if (n < 0 || n >= glyphs || gy < -0.2f || gy > 1.2f)
            return 0;
        var gx = (along - n - 0.5f) / 0.68f + 0.5f;
        var weight = dice.Range(1, 0.10f, 0.19f);
        if (n == 0 && dice.Chance(2, 0.4f))
        {
            float ex = gx - 0.5f, ey = gy - 0.5f, r = MathF.Sqrt(ex * ex + ey * ey);
            return dice.Chance(3, 0.5f) ? Plain.Smooth(0.52f + blur, 0.48f - blur, r) * (r > 0.25f ? 1 : 0) : ex + ey < 0.5f && ey - ex < 0.5f && ey > -0.45f ? 1 : 0;
        }
        var glyph = dice[10 + n];
        var nearest = float.MaxValue;
        var strokes = 2 + glyph.Pick(0, 3);
        for (var s = 0; s < strokes; s++)
        {
            int from = glyph.Pick(1 + s * 2, 9), to = (from + 1 + glyph.Pick(2 + s * 2, 8)) % 9;
            float ax = from % 3 * 0.5f, ay = from / 3 * 0.5f, bx = to % 3 * 0.5f - ax, by = to / 3 * 0.5f - ay;
            var t = Plain.Clamp01(((gx - ax) * bx + (gy - ay) * by) / (bx * bx + by * by));
            float dx = gx - ax - bx * t, dy = gy - ay - by * t;
            nearest = Math.Min(nearest, dx * dx + dy * dy);
        }
        return Plain.Smooth(weight + blur, weight - blur, MathF.Sqrt(nearest));
    }
}
