namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// Which piece every sample sees, and how far ahead. Columns lie one after the other in memory, because a piece is a straight segment in
/// each of them.
/// </summary>
internal sealed class Raster(int width, int height)
{
    private const float Near = 0.25f;
    public readonly int Width = width, Height = height;
    public readonly float[] Depth = new float[width * height];
    public readonly Piece?[] Seen = new Piece?[width * height];

    public void Clear()
    {
        Array.Fill(Depth, float.MaxValue);
        Array.Clear(Seen);
    }

    public void Draw(in Camera camera, Piece piece)
    {
        if (piece.Upright)
            DrawWall(camera, piece);
        else
            DrawSheet(camera, piece);
    }

    private void DrawWall(in Camera camera, Piece piece)
    {
        if (piece.OneSided && piece.NormalX * (camera.At.X - piece.A.X) + piece.NormalY * (camera.At.Y - piece.A.Y) <= 0)
            return;
        var (d0, l0) = camera.Of(piece.A);
        var (d1, l1) = camera.Of(piece.B);
        if (d0 < Near && d1 < Near)
            return;
        float dd = d1 - d0, dl = l1 - l0, ca = d0, cl = l0, ea = d1, el = l1;
        if (ca < Near)
            (ca, cl) = (Near, l0 + dl * ((Near - d0) / dd));
        if (ea < Near)
            (ea, el) = (Near, l0 + dl * ((Near - d0) / dd));
        float x0 = cl / ca * camera.Focal + camera.Width * 0.5f, x1 = el / ea * camera.Focal + camera.Width * 0.5f;
        if (x0 > x1)
            (x0, x1) = (x1, x0);
        int first = FirstSample(x0), last = Math.Min(Width - 1, FirstSample(x1) - 1);
        for (var column = Math.Max(0, first); column <= last; column++)
        {
            var tangent = camera.Tangent(column);
            var u = (tangent * d0 - l0) / (dl - tangent * dd);
            u = Plain.Clamp01(u);
            var t = d0 + u * dd;
            if (t < Near)
                continue;
            u *= piece.Length;
            var top = piece.TopAt(u);
            int row = Math.Max(0, RowOf(camera, (top - camera.Z) / t)), end = Math.Min(Height - 1, RowOf(camera, (piece.Bottom - camera.Z) / t) - 1);
            var at = column * Height;
            for (; row <= end; row++)
                if (t < Depth[at + row] && (!piece.Pierced || Cutout.Solid(piece, u, camera.Z + camera.Slope(row) * t, t / camera.Focal)))
                {
                    Depth[at + row] = t;
                    Seen[at + row] = piece;
                }
        }
    }

    private void DrawSheet(in Camera camera, Piece piece)
    {
        var n = piece.Corners.Length;
        float lowest = float.MaxValue, highest = float.MinValue;
        bool behind = false, ahead = false;
        for (var i = 0; i < n; i++)
        {
            var (d, l) = camera.Of(piece.Corners[i]);
            if (d < Near)
            {
                behind = true;
                continue;
            }
            ahead = true;
            lowest = Math.Min(lowest, l / d);
            highest = Math.Max(highest, l / d);
        }
        if (!ahead)
            return;
        int first = 0, last = Width - 1;
        if (!behind)
        {
            first = Math.Max(0, FirstSample(lowest * camera.Focal + camera.Width * 0.5f));
            last = Math.Min(last, FirstSample(highest * camera.Focal + camera.Width * 0.5f) - 1);
        }
        for (var column = first; column <= last; column++)
        {
            var tangent = camera.Tangent(column);
            var direction = camera.Forward + camera.Forward.Right * tangent;
            if (!Span(camera, piece, direction, out var t0, out var t1))
                continue;
            t0 = Math.Max(t0, Near);
            if (t1 <= t0)
                continue;
            // In this column the piece is the segment z = base + rise·t; a ray of slope s meets it at t = (base − eye) / (s − rise).
            float level = piece.SlopeX * camera.At.X + piece.SlopeY * camera.At.Y + piece.Level - camera.Z, rise = piece.SlopeX * direction.X + piece.SlopeY * direction.Y;
            float s0 = level / t0 + rise, s1 = level / t1 + rise;
            int row = Math.Max(0, RowOf(camera, Math.Max(s0, s1))), end = Math.Min(Height - 1, RowOf(camera, Math.Min(s0, s1)) - 1);
            var at = column * Height;
            for (; row <= end; row++)
            {
                var t = level / (camera.Slope(row) - rise);
                if (t >= Near && t < Depth[at + row])
                {
                    Depth[at + row] = t;
                    Seen[at + row] = piece;
                }
            }
        }
    }

    /// <summary>Part of a ground ray above a convex polygon.</summary>
    private static bool Span(in Camera camera, Piece piece, Flat direction, out float t0, out float t1)
    {
        t0 = float.MaxValue;
        t1 = float.MinValue;
        var corners = piece.Corners;
        for (var i = 0; i < corners.Length; i++)
        {
            Flat a = corners[i] - camera.At, b = corners[i + 1 == corners.Length ? 0 : i + 1] - camera.At;
            float ca = Flat.Cross(direction, a), cb = Flat.Cross(direction, b);
            if (ca > 0 == cb > 0)
                continue;
            var w = ca / (ca - cb);
            var hit = Flat.Lerp(a, b, w);
            // direction is (1, tangent) in the camera's frame, so metres ahead are the parameter itself.
            var t = Flat.Dot(hit, camera.Forward);
            t0 = Math.Min(t0, t);
            t1 = Math.Max(t1, t);
        }
        return t1 > t0;
    }

    /// <summary>The first column or row whose middle is not left of a coordinate.</summary>
    private static int FirstSample(float x) => x < -10000 ? -10000 : x > 10000 ? 10000 : -Plain.Floor(0.5f - x);

    private static int RowOf(in Camera camera, float slope) => FirstSample(camera.Horizon - slope * camera.Focal);
}
