using System.Collections.Concurrent;

namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// Renders views of a city. Pictures come from additions, products, divisions, square roots and integers alone, sample after sample in a
/// fixed order, so they are the same bits on every machine, whatever its vector width. Safe to call from many threads.
/// </summary>
public sealed class CityRenderer
{
    private const float Reach = 170;
    private readonly CityOptions options;
    private readonly Lazy<Quarter>[] quarters;
    private readonly ConcurrentBag<Frame> frames = [];

    public CityRenderer(CityOptions options)
    {
        options.Check();
        this.options = options;
        quarters = [.. Enum.GetValues<CitySplit>().Select(split => new Lazy<Quarter>(() => new Quarter(Dice.Mix(options.Seed, 0xC17Fu + (uint)split), options.Places(split), options.Spacing)))];
    }

    internal Quarter QuarterOf(CitySplit split) => quarters[(int)split].Value;

    /// <summary>Height × Width × 3 bytes, row after row from the top, red first.</summary>
    public byte[] Render(CityView view)
    {
        if (!frames.TryTake(out var frame))
            frame = new Frame(options.Width, options.Height);
        try
        {
            return new Exposure(view, Daylight.Of(view.Drive)).Develop(Light(frame, view), options.Width, options.Height);
        }
        finally
        {
            frames.Add(frame);
        }
    }

    /// <summary>Linear light of every pixel.</summary>
    private Rgb[] Light(Frame frame, CityView view)
    {
        var quarter = QuarterOf(view.Quarter);
        var light = Daylight.Of(view.Drive);
        var raster = frame.Raster;
        var camera = new Camera(view, raster.Width, raster.Height);
        raster.Clear();
        foreach (var piece in quarter.Pieces)
            if (Near(piece, camera))
                raster.Draw(camera, piece);
        var pieces = frame.Pieces;
        pieces.Clear();
        AddTrees(pieces, quarter, camera, light);
        var traffic = new Traffic(light);
        foreach (var street in quarter.Streets)
            if ((street.At(street.Length * 0.5f, 0) - camera.At).Length < street.Length * 0.5f + 80)
            {
                traffic.Add(pieces, street, camera);
                AddLamps(pieces, street, camera);
            }
        Traffic.AddPassers(pieces, view, camera);
        foreach (var piece in pieces)
            if (Near(piece, camera))
                raster.Draw(camera, piece);

        var pixels = frame.Pixels;
        int w = options.Width, h = options.Height;
        for (var x = 0; x < w; x++)
            for (var y = 0; y < h; y++)
            {
                if (AllSky(raster, 2 * x, 2 * y))
                {
                    pixels[y * w + x] = Sample(raster, camera, light, quarter, 2 * x + (y & 1), 2 * y + (x & 1));
                    continue;
                }
                // Two samples on the diagonal; the other two only where they could differ: at edges of pieces and of patterns.
                Rgb first = Sample(raster, camera, light, quarter, 2 * x, 2 * y), second = Sample(raster, camera, light, quarter, 2 * x + 1, 2 * y + 1);
                var sum = first + second;
                if (Uneven(raster, 2 * x, 2 * y, first, second))
                    sum = (sum + Sample(raster, camera, light, quarter, 2 * x + 1, 2 * y) + Sample(raster, camera, light, quarter, 2 * x, 2 * y + 1)) * 0.5f;
                pixels[y * w + x] = sum * 0.5f;
            }
        return pixels;
    }

    /// <summary>The sky is smooth: one sample a pixel is enough there.</summary>
    private static bool AllSky(Raster raster, int column, int row)
    {
        var i = column * raster.Height + row;
        return raster.Seen[i] == null && raster.Seen[i + 1] == null && raster.Seen[i + raster.Height] == null && raster.Seen[i + raster.Height + 1] == null;
    }

    private static bool Uneven(Raster raster, int column, int row, Rgb first, Rgb second)
    {
        var i = column * raster.Height + row;
        var seen = raster.Seen[i];
        if (seen != raster.Seen[i + 1] || seen != raster.Seen[i + raster.Height] || seen != raster.Seen[i + raster.Height + 1])
            return true;
        float a = first.Luma, b = second.Luma, gap = a > b ? a - b : b - a;
        return gap > 0.2f * (a + b);
    }

    private static bool Near(Piece piece, in Camera camera)
    {
        if (piece.Surface == Surface.Asphalt)
            return true;
        var a = piece.Upright ? piece.A : piece.Corners[0];
        var (ahead, right) = camera.Of(a);
        // Pieces are at most a block long.
        return ahead > -90 && ahead < Reach && right < ahead * 1.2f + 130 && -right < ahead * 1.2f + 130;
    }

    private static void AddTrees(List<Piece> pieces, Quarter quarter, in Camera camera, Daylight light)
    {
        foreach (var tree in quarter.Trees)
        {
            var (ahead, _) = camera.Of(tree.At);
            if (ahead < 1.2f || !camera.MaySee(tree.At, tree.Height * 0.5f))
                continue;
            var crown = Traffic.Billboard(Surface.Crown, tree.At, camera.At, tree.Height * Tree.Aspect, tree.Height);
            (crown.Detail, crown.Seed, crown.Paint) = (tree.Form, tree.Seed, Rgb.Grey(light.Foliage));
            pieces.Add(crown);
        }
    }

    private static void AddLamps(List<Piece> pieces, Street street, in Camera camera)
    {
        for (var k = 0; Lamp(street, k) is { } lamp; k++)
        {
            var (ahead, _) = camera.Of(lamp);
            if (ahead < 1.5f || !camera.MaySee(lamp, 1))
                continue;
            pieces.Add(Traffic.Billboard(Surface.LampPost, lamp, camera.At, 0.13f, 5.1f));
            var head = Traffic.Billboard(Surface.LampPost, lamp, camera.At, 0.5f, 5.4f);
            head.Bottom = 5.0f;
            pieces.Add(head);
        }
    }

    private static Flat? Lamp(Street street, int k)
    {
        var s = 11 + k * Street.LampStep;
        return s < street.Length - 8 ? street.At(s, (k & 1) == 0 ? street.Kerb + 0.4f : -street.Kerb - 0.4f) : null;
    }

    private static Rgb Sample(Raster raster, in Camera camera, Daylight light, Quarter quarter, int column, int row)
    {
        var i = column * raster.Height + row;
        var piece = raster.Seen[i];
        var direction = camera.Forward + camera.Forward.Right * camera.Tangent(column);
        var slope = camera.Slope(row);
        if (piece == null)
            return Sky.At(light, quarter.Skyline, direction, slope);
        var t = raster.Depth[i];
        var hit = new Hit(piece, camera.At + direction * t, camera.Z + slope * t, t / camera.Focal, direction, slope);
        var paint = piece.Surface switch
        {
            Surface.Facade => FacadePainter.At(hit, light),
            Surface.Asphalt or Surface.Road or Surface.Pavement or Surface.Kerb or Surface.Court or Surface.Contact => GroundPainter.At(hit, light),
            _ => ThingPainter.At(hit, light),
        };
        var colour = paint.Albedo * Lighting.At(hit, light, paint.Open) + paint.Glow;
        if (paint.Shine > 0)
            colour = Rgb.Lerp(colour, Lighting.Mirror(hit, light, quarter.Skyline), paint.Shine);
        return light.Haze(colour, t);
    }

    /// <summary>Buffers of one picture in the making.</summary>
    private sealed class Frame(int width, int height)
    {
        public readonly Raster Raster = new(width * 2, height * 2);
        public readonly Rgb[] Pixels = new Rgb[width * height];
        public readonly List<Piece> Pieces = [];
    }
}
