using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Training;

/// <summary>
/// A tiny world for training tests: every place is a row of coloured blocks, of which each photograph shows a shifted window under another light, with noise and an
/// obstacle. Paths are names; the decoder makes the pixels.
/// </summary>
internal sealed class SyntheticPlaces(int places, int height = 32, int width = 48) : IImageDecoder
{
    private const int Times = 4;

    /// <summary>Places 40 m apart; the database is of time 0 and 1, queries of time 2 and 3.</summary>
    public Dataset Split(string name, int first, int count)
    {
        ImageRecord At(int place, int time) => new($"{place}-{time}.jpg", 40 * place, 0, time, null, null, null);
        return new("synthetic", name,
            [.. Enumerable.Range(first, count).SelectMany(p => new[] { At(p, 0), At(p, 1) })],
            [.. Enumerable.Range(first, count).SelectMany(p => new[] { At(p, 2), At(p, 3) })]);
    }

    public int Places => places;

    public (int Height, int Width) ReadSize(string path) => (height, width);

    public PixelImage Decode(string path, ResizePolicy policy)
    {
        var parts = Path.GetFileNameWithoutExtension(path).Split('-');
        int place = int.Parse(parts[0]), time = int.Parse(parts[1]);
        var world = new Random(1000 + place);
        // Few colours and heights, as in a real street: places differ by their order alone.
        var blocks = Enumerable.Range(0, 10).Select(_ => (80 + 80 * world.Next(2), 80 + 80 * world.Next(2), 120, height / 2 + height / 4 * world.Next(2))).ToArray();
        var view = new Random(place * Times + time);
        int shift = view.Next(8);
        double light = 0.4 + 0.3 * (time % 3) + 0.1 * view.NextDouble();
        int obstacle = view.Next(width - 8), shade = view.Next(256);
        var rgb = new byte[height * width * 3];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
            {
                var (r, g, b, top) = blocks[(x + shift) / 6 % blocks.Length];
                bool sky = height - y > top, hidden = x >= obstacle && x < obstacle + 8 && y > height / 2;
                for (int c = 0; c < 3; c++)
                {
                    double value = hidden ? shade : sky ? 200 : c == 0 ? r : c == 1 ? g : b;
                    rgb[(y * width + x) * 3 + c] = (byte)Math.Clamp(value * light + view.Next(-40, 41), 0, 255);
                }
            }
        var (h, w) = policy.Apply(height, width);
        return h == height && w == width ? new(height, width, rgb) : Resize(rgb, h, w);
    }

    private PixelImage Resize(byte[] rgb, int h, int w)
    {
        var resized = new byte[h * w * 3];
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                Array.Copy(rgb, (y * height / h * width + x * width / w) * 3, resized, (y * w + x) * 3, 3);
        return new(h, w, resized);
    }
}

/// <summary>Takes progress and keeps its lines.</summary>
internal sealed class Quiet : IProgressSink
{
    public List<string> Lines { get; } = [];

    public Action<string, long>? OnAdvance { get; init; }

    private string what = "";

    public void Begin(string what, long total, string unit) => this.what = what;

    public void Advance(long done) => OnAdvance?.Invoke(what, done);

    public void Line(string text)
    {
        Lines.Add(text);
        TestContext.Out.WriteLine(text);
    }
}
