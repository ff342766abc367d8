using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Studies;
using IlgpuNetVlad.Tests.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.Reports;

/// <summary>What is drawn, as far as a machine can see it.</summary>
public sealed class Pictures
{
    private static readonly SkiaImageDecoder Decoder = new();
    private static readonly SKColor Blue = new(0x00, 0x72, 0xB2), Green = new(0x00, 0x9E, 0x73), Red = new(0xD5, 0x5E, 0x00);

    [Test]
    public void Text_is_drawn_in_the_font_that_comes_along()
    {
        using var regular = ReportFont.Sized(20);
        using var bold = ReportFont.Sized(20, bold: true);
        foreach (var font in new[] { regular, bold })
        {
            Assert.That(font.Typeface.FamilyName, Is.EqualTo("DejaVu Sans"));
            Assert.That(font.ContainsGlyphs("recall@10, % größer – × → ✓ ✗ αβ Москва"));
        }

        Assert.That(ScottPlot.Fonts.GetTypeface(ReportFont.Name, true, false), Is.Not.Null);
        Assert.That(typeof(ReportFont).Assembly.GetManifestResourceNames(), Does.Contain("Fonts/LICENSE.txt"));
    }

    [Test]
    public void Curves_differ_by_their_values_and_their_names()
    {
        using var folder = new TemporaryFolder();
        byte[] Draw(string name, params double[] recall)
        {
            Plots.Recall(folder["a.png"], "title", [new Curve(name, [1, 5, 10], recall), new Curve("other", [1, 5, 10], [0.1, 0.2, 0.3], [0, 0.1, 0.2], [0.2, 0.3, 0.4])]);
            return Seen(folder["a.png"], 960, 640);
        }

        var first = Draw("a", 0.5, 0.6, 0.7);
        Assert.That(Draw("a", 0.5, 0.6, 0.7), Is.EqualTo(first), "the same twice");
        Assert.That(Draw("a", 0.5, 0.6, 0.9), Is.Not.EqualTo(first));
        Assert.That(Draw("b", 0.5, 0.6, 0.7), Is.Not.EqualTo(first));
    }

    [Test]
    public void Dimensions_and_training_are_drawn_and_may_be_empty()
    {
        using var folder = new TemporaryFolder();
        Plots.Dimensions(folder["d.png"], "dimensions", 1, [new Curve("whitened", [64, 128, 4096], [0.4, 0.5, 0.8])]);
        Assert.That(Count(folder["d.png"], Blue), Is.GreaterThan(300));
        var plain = new Curve("plain", [64, 128], [0.6, 0.7]);
        Plots.Dimensions(folder["d.png"], "dimensions", 1, [plain, new Curve("whitened", [64, 128], [0.4, 0.5], Companion: true)], "whitened");
        int together = Count(folder["d.png"], Blue);
        Plots.Dimensions(folder["d.png"], "dimensions", 1, [plain]);
        Assert.That(together, Is.GreaterThan(Count(folder["d.png"], Blue) + 300), "a companion has the colour of the curve before it");
        Plots.Training(folder["t.png"], "training", [new TrainingPoint(0, null, 0.4, 0.5, 0.6), new TrainingPoint(0.5, 0.3), new TrainingPoint(1, 0.2, 0.5, 0.6, 0.7)], 1);
        Seen(folder["t.png"], 960, 640);
        foreach (var colour in new[] { Blue, Green, Red })
            Assert.That(Count(folder["t.png"], colour), Is.GreaterThan(300), "one curve each for recall@1, 5 and 10");
        Plots.Training(folder["n.png"], "nothing yet", []);
        Plots.Recall(folder["n.png"], "nothing", []);
        Plots.Dimensions(folder["n.png"], "nothing", 1, []);
        Seen(folder["n.png"], 960, 640);
    }

    /// <summary>Curves over dimensions are flat: on an axis from 0 to 100 % they would lie on one another.</summary>
    [TestCase(0.41, 0.48)]
    [TestCase(0.0, 0.03)]
    [TestCase(0.96, 1.0)]
    public void Curves_over_dimensions_fill_the_height_of_their_plot(double low, double high)
    {
        using var folder = new TemporaryFolder();
        Plots.Dimensions(folder["d.png"], "", 1, [new Curve("a", [64, 128], [low, high])]);
        var image = Decoder.Decode(folder["d.png"], ResizePolicy.Native);
        // The legend stands below.
        int[] rows = [.. Rows(image, Blue).Where(y => y < 3 * image.Height / 4)];
        Assert.That(rows, Has.Length.GreaterThan(300));
        Assert.That(rows.Max() - rows.Min(), Is.GreaterThan(image.Height / 4));
    }

    [Test]
    public void A_row_of_a_study_has_the_same_colour_over_answers_and_over_dimensions()
    {
        // Starts come first among the rows, but a cell measures its start and what it trained before the next cell does.
        StudySettings settings = new() { Title = "", Dataset = "set", Tests = [new("test", "all")], Pooling = [PoolingKind.Max, PoolingKind.Average], Seeds = [1], Dimensions = [8, 16] };
        int[] none = [0, 0, 0, 0, 0], some = [1, 1, 1, 1, 0];
        var measured = from row in (string[])["max, as initialised", "max, trained", "avg, as initialised", "avg, trained"]
                       from dimensions in (int[])[0, 8, 16]
                       select new StudyMeasurement(row, "test", dimensions, dimensions > 0, 1, row == "avg, as initialised" ? some : none);
        using var folder = new TemporaryFolder();
        new StudyResult(settings, [.. measured]).Write(folder.Path);
        foreach (string file in (string[])["recall.png", "dimensions.png"])
        {
            var image = Decoder.Decode(folder[file], ResizePolicy.Native);
            // The second row is the second colour's, and the only one above the ground.
            Assert.That(Rows(image, Red).Count(y => y < image.Height / 2), Is.GreaterThan(300), file);
        }
    }

    [Test]
    public void A_map_shows_who_has_an_answer_and_needs_positions()
    {
        using var folder = new TemporaryFolder();
        var set = new Dataset("x", "all", [At("d", 0, 0)], [At("a", 3, 0), At("b", 400, 300)]);
        MapPicture.Write(folder["map.png"], "x", set);
        Assert.That(Count(folder["map.png"], Red), Is.GreaterThan(10));
        var (blue, red) = (CountAround(folder["map.png"], Blue), Count(folder["map.png"], Red));
        MapPicture.Write(folder["map.png"], "x", set, [true, true], "found", "missed");
        Assert.That(CountAround(folder["map.png"], Blue), Is.GreaterThan(blue));
        Assert.That(Count(folder["map.png"], Red), Is.LessThan(red));
        Assert.That(() => MapPicture.Write(folder["spot.png"], "one spot", new Dataset("x", "all", [At("d", 5, 5)], [At("q", 5, 5)])), Throws.Nothing);

        var lost = new Dataset("lost", "all", [At("d", double.NaN, 0)], [At("q", double.NaN, 0)], null, [new[] { 0 }]);
        Assert.That(MapPicture.CanDraw(lost), Is.False);
        Assert.That(
            () => MapPicture.Write(folder["no.png"], "x", lost),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo("There is no map of the dataset lost: its images have no positions."));
    }

    [Test]
    public void Answers_are_framed_by_the_truth_and_differ_in_more_than_colour()
    {
        using var folder = Set();
        var set = folder.Open();
        AnswerSheet.Write(folder["right.png"], "x", set, [0], [new AnswerColumn("before", [[0], [1]])], Decoder, first: 1);
        AnswerSheet.Write(folder["wrong.png"], "x", set, [0], [new AnswerColumn("before", [[1], [0]])], Decoder, first: 1);
        var (green, red) = (Count(folder["right.png"], Green), Count(folder["wrong.png"], Red));
        Assert.That((Count(folder["right.png"], Red), Count(folder["wrong.png"], Green)), Is.EqualTo((0, 0)));
        Assert.That(green, Is.GreaterThan(2000));
        Assert.That(red, Is.GreaterThan(1000).And.LessThan(green * 0.85), "a wrong answer's frame is dashed");
        Assert.That(Count(folder["right.png"], Blue), Is.EqualTo(Count(folder["wrong.png"], Blue)).And.GreaterThan(2000));
    }

    [Test]
    public void A_caption_that_is_too_long_keeps_its_end()
    {
        using var font = ReportFont.Sized(12);
        const string name = "b4_liftspace_number_c019_frame_000123.jpg";
        string shorter = Picture.Shortened(name, font, 200);
        Assert.That(font.MeasureText(shorter), Is.LessThanOrEqualTo(200));
        Assert.That(shorter, Does.StartWith("b4_liftspace").And.EndWith("000123.jpg").And.Contain("…"));
        Assert.That(Picture.Shortened(name, font, 1000), Is.EqualTo(name));
        Assert.That((Picture.Shortened(name, font, 1), Picture.Shortened("", font, 1)), Is.EqualTo(("…", "")));
    }

    [Test]
    public void A_title_takes_the_lines_that_it_needs_and_loses_no_word()
    {
        string title = string.Join(' ', Enumerable.Range(0, 40).Select(i => $"word{i}"));
        var lines = Picture.Break(title, 20, bold: true, width: 500);
        using var font = ReportFont.Sized(20, bold: true);
        Assert.That(lines, Has.Count.GreaterThan(3).And.All.Matches<string>(line => font.MeasureText(line) <= 500));
        Assert.That(string.Join(' ', lines), Is.EqualTo(title));
        Assert.That(Picture.Break("short", 20, bold: true, width: 500), Is.EqualTo(new[] { "short" }));
        Assert.That(Picture.Break("a " + new string('x', 99), 20, bold: true, width: 100), Is.EqualTo(new[] { "a", new string('x', 99) }));
        using var folder = new TemporaryFolder();
        int Height(string of)
        {
            PictureSheet.Write(folder["s.png"], of, ["query"], [], Decoder);
            return Decoder.ReadSize(folder["s.png"]).Height;
        }

        Assert.That(Height(title), Is.GreaterThan(Height("short") + 100));
    }

    [Test]
    public void Sheets_grow_with_rows_and_columns_and_show_what_they_cannot_read()
    {
        using var folder = Set();
        var good = new SheetPicture(folder["database/0.png"], PictureMark.Plain, "one\ntwo");
        var bad = new SheetPicture(folder.Write("bad.jpg", "text"), PictureMark.Query);
        PictureSheet.Write(folder["a.png"], "", [], [[good]], Decoder);
        PictureSheet.Write(folder["b.png"], "title", ["heading"], [[good, null, good], [good, null, bad]], Decoder);
        PictureSheet.Write(folder["c.png"], "nothing", [], [], Decoder);
        var (a, b) = (Decoder.ReadSize(folder["a.png"]), Decoder.ReadSize(folder["b.png"]));
        Assert.That(b.Height, Is.GreaterThan(a.Height + 150));
        Assert.That(b.Width, Is.GreaterThan(a.Width + 200));
        Assert.That(() => PictureSheet.Write(folder["d.png"], "", [], [.. Enumerable.Repeat<IReadOnlyList<SheetPicture?>>([good, good], 2000)], Decoder),
            Throws.TypeOf<UserErrorException>().With.Message.EndsWith("is too large; ask for fewer rows or columns."));
    }

    [Test]
    public void A_place_that_cannot_be_written_is_refused()
    {
        using var folder = Set();
        folder.Write("file", "in the way");
        var path = folder["file/a.png"];
        Assert.That(() => Plots.Recall(path, "x", []), Refuses());
        Assert.That(() => Plots.Training(path, "x", []), Refuses());
        Assert.That(() => MapPicture.Write(path, "x", new Dataset("x", "all", [At("d", 0, 0)], [At("q", 0, 0)])), Refuses());
        Assert.That(() => PictureSheet.Write(path, "x", [], [], Decoder), Refuses());

        NUnit.Framework.Constraints.Constraint Refuses() => Throws.TypeOf<UserErrorException>().With.Message.StartWith($"{path} cannot be written (");
    }

    private static TemporaryFolder Set()
    {
        var folder = new TemporaryFolder();
        folder.Images("query/0.png", "query/1.png", "database/0.png", "database/1.png");
        folder.Write("ground_truth.csv", "query,database\n0.png,0.png\n1.png,1.png\n");
        return folder;
    }

    private static ImageRecord At(string path, double easting, double northing) => new(path, easting, northing, null, null, null, null);

    private static byte[] Seen(string path, int width, int height)
    {
        var image = Decoder.Decode(path, ResizePolicy.Native);
        Assert.That((image.Width, image.Height), Is.EqualTo((width, height)));
        Assert.That(image.Rgb.Count(value => value < 100), Is.GreaterThan(1000), "something is drawn");
        return image.Rgb;
    }

    /// <summary>From above, the row of each point of this colour.</summary>
    private static IEnumerable<int> Rows(PixelImage image, SKColor colour)
        => Enumerable.Range(0, image.Rgb.Length / 3).Where(i => (image.Rgb[3 * i], image.Rgb[3 * i + 1], image.Rgb[3 * i + 2]) == (colour.Red, colour.Green, colour.Blue)).Select(i => i / image.Width);

    private static int Count(string path, SKColor colour) => CountWithin(path, colour, 0);

    /// <summary>Discs are a little transparent.</summary>
    private static int CountAround(string path, SKColor colour) => CountWithin(path, colour, 70);

    private static int CountWithin(string path, SKColor colour, int tolerance)
    {
        var rgb = Decoder.Decode(path, ResizePolicy.Native).Rgb;
        return Enumerable.Range(0, rgb.Length / 3).Count(i =>
            Math.Abs(rgb[3 * i] - colour.Red) <= tolerance && Math.Abs(rgb[3 * i + 1] - colour.Green) <= tolerance && Math.Abs(rgb[3 * i + 2] - colour.Blue) <= tolerance);
    }
}
