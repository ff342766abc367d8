using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A map of a dataset: where its database was taken, and which queries have an answer. North is up.</summary>
public static class MapPicture
{
    private const int Side = 1000, Margin = 40, Top = 70, Bottom = 96;
    private static readonly SKColor Ground = new(0xA8, 0xA8, 0xA8);

    /// <summary>True if there is something to draw: a set whose truth is listed has no positions.</summary>
    public static bool CanDraw(Dataset set) => set.Database.Concat(set.Queries).Any(image => image.HasPosition);

    /// <summary>Draws database images as grey dots, queries that are well off as blue discs, the others as red crosses above all.</summary>
    /// <param name="good">For each query, whether it is well off; null asks whether it has a right answer at all.</param>
    /// <param name="goodName">What that means, for the legend: "found at once".</param>
    /// <param name="badName">What its opposite is called.</param>
    /// <exception cref="UserErrorException">The set has no positions, or the place cannot be written.</exception>
    public static void Write(
        string path, string title, Dataset set, IReadOnlyList<bool>? good = null, string goodName = "query with an answer", string badName = "query without one")
    {
        if (!CanDraw(set))
            throw new UserErrorException($"There is no map of the dataset {set.Name}: its images have no positions.");
        good ??= [.. Enumerable.Range(0, set.Queries.Count).Select(q => set.GroundTruth(q).Any(d => !set.SharesTime(q, d)))];
        var all = set.Database.Concat(set.Queries).Where(image => image.HasPosition).ToArray();
        double west = all.Min(i => i.Easting), east = all.Max(i => i.Easting), south = all.Min(i => i.Northing), north = all.Max(i => i.Northing);
        // A single spot still needs a map with some ground around it.
        var reach = Math.Max(20, Math.Max(east - west, north - south));
        var scale = Side / reach;
        var width = (int)Math.Clamp((east - west) * scale, 460, Side);
        var height = (int)Math.Clamp((north - south) * scale, 200, Side);
        var originX = Margin + (width - (east - west) * scale) / 2;
        var originY = Top + (height + (north - south) * scale) / 2;

        using var picture = new Picture(width + 2 * Margin, Top + height + Bottom);
        picture.Text(title, Margin, 38, 20, bold: true, width: width - 40);
        var dot = set.Database.Count > 5000 ? 1.6f : 2.4f;
        foreach (var image in set.Database.Where(image => image.HasPosition))
        {
            var (x, y) = At(image);
            picture.Disc(x, y, dot, Ground);
        }

        var many = set.Queries.Count > 2000;
        for (var pass = 0; pass < 2; pass++)
        {
            for (var q = 0; q < set.Queries.Count; q++)
            {
                if (good[q] != (pass == 0) || !set.Queries[q].HasPosition)
                    continue;
                var (x, y) = At(set.Queries[q]);
                Symbol(picture, good[q], x, y, many ? 0.7f : 1);
            }
        }

        Legend(picture, Top + height + 34, set, good, goodName, badName);
        ScaleBar(picture, Top + height + 62, width, scale);
        North(picture);
        picture.Save(path);

        (float X, float Y) At(ImageRecord image) => ((float)(originX + (image.Easting - west) * scale), (float)(originY - (image.Northing - south) * scale));
    }

    private static void Symbol(Picture picture, bool good, float x, float y, float size)
    {
        if (good)
        {
            picture.Disc(x, y, 4 * size, Palette.Query.WithAlpha(0xC0));
            return;
        }

        var arm = 5 * size;
        picture.Lines(Palette.Wrong, 2.4f * size, (x - arm, y - arm, x + arm, y + arm), (x - arm, y + arm, x + arm, y - arm));
    }

    private static void Legend(Picture picture, float y, Dataset set, IReadOnlyList<bool> good, string goodName, string badName)
    {
        var right = good.Count(g => g);
        var x = (float)Margin;
        Entry($"{set.Database.Count} database images", (cx, cy) => picture.Disc(cx, cy, 3.5f, Ground));
        Entry($"{goodName}: {right}", (cx, cy) => Symbol(picture, true, cx, cy, 1.2f));
        Entry($"{badName}: {good.Count - right}", (cx, cy) => Symbol(picture, false, cx, cy, 1.2f));

        void Entry(string text, Action<float, float> symbol)
        {
            using var font = ReportFont.Sized(13);
            symbol(x + 6, y - 4.5f);
            picture.Text(text, x + 18, y, 13);
            x += 18 + font.MeasureText(text) + 20;
        }
    }

    private static void ScaleBar(Picture picture, float y, int width, double scale)
    {
        // The longest of 1, 2, 5, 10 … metres that fits in a quarter of the map.
        var metres = 1.0;
        foreach (var next in Enumerable.Range(0, 8).SelectMany(power => new[] { 1, 2, 5 }.Select(digit => digit * Math.Pow(10, power))))
        {
            if (next * scale <= width / 4.0)
                metres = next;
        }

        var length = (float)(metres * scale);
        float left = Margin, right = Margin + length;
        picture.Lines(Palette.Ink, 2, (left, y, right, y), (left, y - 5, left, y + 5), (right, y - 5, right, y + 5));
        picture.Text(
            metres >= 1000 ? string.Create(CultureInfo.InvariantCulture, $"{metres / 1000:0} km") : string.Create(CultureInfo.InvariantCulture, $"{metres:0} m"),
            right + 10, y + 5, 13);
    }

    private static void North(Picture picture)
    {
        float x = picture.Width - Margin - 6, y = 44;
        picture.Lines(Palette.Ink, 2, (x, y, x, y - 26), (x - 6, y - 18, x, y - 26), (x + 6, y - 18, x, y - 26));
        picture.Text("N", x, y + 15, 13, align: SKTextAlign.Center);
    }
}
