namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// Tree crowns as small pictures, drawn once by growing branches: one layer of wood, one of leaves with the light on them. A tree in the
/// street is such a picture that turns to the camera.
/// </summary>
internal static class Tree
{
    public const int Forms = 10, Width = 112, Height = 144;

    private static readonly (byte[] Wood, byte[] Leaf)[] Pictures = [.. Enumerable.Range(0, Forms).Select(Grow)];

    /// <summary>Crown width over tree height.</summary>
    public const float Aspect = Width / (float)Height;

    public static bool Evergreen(int form) => form == Forms - 1;

    /// <summary>What a point of a tree is: nothing, wood or leaf (with its light in 0..1).</summary>
    /// <param name="u">0..1 across.</param>
    /// <param name="v">0..1 from the foot.</param>
    /// <param name="foliage">0 bare .. 1 full.</param>
    public static (bool Leaf, float Light)? At(int form, float u, float v, float foliage)
    {
        int x = (int)(u * Width), y = (int)(v * Height);
        if ((uint)x >= Width || (uint)y >= Height)
            return null;
        var (wood, leaf) = Pictures[form];
        var i = y * Width + x;
        if (leaf[i] > 0 && Noise.Cell(x * 3 + form * 31, y * 5) < (Evergreen(form) ? 1 : foliage))
            return (true, leaf[i] * (1 / 255f));
        return wood[i] > 0 ? (false, wood[i] * (1 / 255f)) : null;
    }

    private static (byte[], byte[]) Grow(int form)
    {
        var dice = new Dice(0x7EE5)[form];
        byte[] wood = new byte[Width * Height], leaf = new byte[Width * Height];
        var key = 0;
        if (Evergreen(form))
        {
            Stroke(Width * 0.5f, 0, Width * 0.5f, Height * 0.9f, 4, 1);
            for (var y = 10; y < Height; y++)
                for (var x = 0; x < Width; x++)
                {
                    var tier = (y - 10) % 14 / 14f;
                    var half = (Height - y) / (float)(Height - 10) * Width * 0.36f * (1.15f - 0.4f * tier);
                    var off = x - Width * 0.5f;
                    if (MathF.Abs(off) < half * (0.8f + 0.4f * Noise.Cell(x, y)))
                        leaf[y * Width + x] = (byte)(70 + 90 * (1 - tier) + 60 * Noise.Cell(y, x) - off * 0.8f);
                }
            return (wood, leaf);
        }
        // Grown first, then drawn to fit the picture, so that no crown is cut off.
        var strokes = new List<(float X0, float Y0, float X1, float Y1, float Thick, int Depth)>();
        var crowns = new List<(float X, float Y, float R)>();
        var slim = dice.Range(1, 0.6f, 1.2f);
        Branch(0, 0, 0, 1, dice.Range(2, 22f, 36f), 5.5f, 0);
        float wide = crowns.Max(c => MathF.Abs(c.X) + c.R), high = crowns.Max(c => c.Y + c.R);
        float sx = Math.Min(1.2f, (Width * 0.5f - 1) / wide), sy = (Height - 1) / high;
        foreach (var (x0, y0, x1, y1, thick, depth) in strokes)
            Stroke(Width * 0.5f + x0 * sx, y0 * sy, Width * 0.5f + x1 * sx, y1 * sy, thick, depth);
        // Far leaves first: the crown's lit top lies over its shaded inside.
        foreach (var (x, y, r) in crowns.OrderBy(c => c.Y))
            Crown(Width * 0.5f + x * sx, y * sy, r * Math.Min(sx, sy));
        return (wood, leaf);

        void Branch(float x, float y, float dx, float dy, float length, float thick, int depth)
        {
            float ex = x + dx * length, ey = y + dy * length;
            strokes.Add((x, y, ex, ey, thick, depth));
            if (depth >= 3)
                crowns.Add((ex, ey, dice.Range(key++, 4f, 8.5f)));
            if (depth >= 6)
                return;
            var count = depth == 0 ? 4 : 2 + dice.Pick(key++, 2);
            for (var i = 0; i < count; i++)
            {
                // Turns by a slope, not by an angle: add some of the sideways direction and normalise.
                var side = (i - (count - 1) * 0.5f) * dice.Range(key++, 0.45f, 0.95f) * slim + dice.Range(key++, -0.25f, 0.25f);
                float nx = dx - dy * side, ny = dy + dx * side + 0.12f;
                var scale = 1 / MathF.Sqrt(nx * nx + ny * ny);
                Branch(ex, ey, nx * scale, ny * scale, length * dice.Range(key++, 0.6f, 0.82f), thick * 0.66f, depth + 1);
            }
        }

        void Stroke(float x0, float y0, float x1, float y1, float thick, int depth)
        {
            var steps = (int)(MathF.Abs(x1 - x0) + MathF.Abs(y1 - y0)) * 2 + 1;
            var r = Math.Max(0.5f, thick * 0.5f);
            for (var s = 0; s <= steps; s++)
            {
                float x = x0 + (x1 - x0) * s / steps, y = y0 + (y1 - y0) * s / steps;
                for (var iy = Plain.Floor(y - r); iy <= y + r; iy++)
                    for (var ix = Plain.Floor(x - r); ix <= x + r; ix++)
                        if (ix >= 0 && iy >= 0 && ix < Width && iy < Height && (ix + 0.5f - x) * (ix + 0.5f - x) + (iy + 0.5f - y) * (iy + 0.5f - y) <= r * r + 0.3f)
                            wood[iy * Width + ix] = (byte)(150 - 50 * (ix + 0.5f - x) / r * 0.8f - depth * 4 + 40 * Noise.Cell(ix, iy * 7));
            }
        }

        void Crown(float cx, float cy, float r)
        {
            for (var y = (int)(cy - r); y <= cy + r; y++)
                for (var x = (int)(cx - r); x <= cx + r; x++)
                {
                    if (x < 1 || y < 1 || x >= Width - 1 || y >= Height - 1)
                        continue;
                    float dx = (x - cx) / r, dy = (y - cy) / r, d = dx * dx + dy * dy;
                    if (d > 0.55f + 0.6f * Noise.Cell(x * 7, y * 3))
                        continue;
                    // Lit from above, dark inside and below.
                    leaf[y * Width + x] = (byte)Math.Clamp(65 + 75 * y / Height + 60 * dy - 30 * dx + 90 * (Noise.Cell(x, y) - 0.5f) + 40 * (Noise.Value(x * 0.2f, y * 0.2f) - 0.5f), 20, 255);
                }
        }
    }
}
