using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>The look at a whole dataset.</summary>
public sealed class Inspection
{
    private static readonly SkiaImageDecoder Decoder = new();

    [Test]
    public void Everything_is_counted()
    {
        using var folder = new TemporaryFolder();
        folder.Images(
            "database/@0@0@@@@@p1@@@@@@20140101@@.png", "database/@5@0@@@@@p1@@@@@@20150101@@.png", "database/@200@0@@@@@p2@@@@@@@@.png",
            "queries/@1@0@@@@@@@@@@@20140101@@.png", "queries/@100@50@.png");
        folder.Write("database/@300@0@.png", SmallImage.Png(9, 7, (_, _) => (1, 2, 3, 255)));
        folder.Write("queries/@300@1@.jpg", "no image");
        var sink = new Recorded();
        var found = DataInspection.Of(folder.Open(), Decoder, progress: sink);
        Assert.That((found.Set.Database.Count, found.Set.Queries.Count), Is.EqualTo((4, 3)));
        Assert.That(found.Answers, Is.EqualTo(new Spread(0, 1, 1)), "the one of the query's own day is left out");
        Assert.That(found.Positives, Is.EqualTo(new Spread(0, 0, 1)), "one metre is not more than one metre");
        Assert.That(found.Negatives, Is.EqualTo(new Spread(2, 3, 4)));
        Assert.That((found.QueriesWithoutAnswer, found.QueriesWithoutPositive, found.QueriesWithoutNegative), Is.EqualTo((1, 2, 0)));
        Assert.That(found.Sizes, Is.EqualTo(new[] { new ImageSizeCount(4, 6, 5), new ImageSizeCount(9, 7, 1) }));
        Assert.That(found.BadImages.Single().Path, Is.EqualTo(folder["queries/@300@1@.jpg"]));
        Assert.That((found.Times, found.ImagesWithoutTime, found.Panoramas), Is.EqualTo((2, 4, 2)));
        Assert.That(found.Period, Is.EqualTo((new DateTime(2014, 1, 1), new DateTime(2015, 1, 1))));
        Assert.That((found.Extent, found.Refusal), Is.EqualTo((((double, double)?)(300, 50), (string?)null)));
        Assert.That(sink.Heard, Is.EqualTo(new[] { "reading image sizes 7", "7", "counting positives and negatives 3", "1", "2", "3" }));
        Assert.That(found.WriteMap(folder["out/map.png"]), Is.True);
        found.WriteTriples(folder["out/triples.png"], Decoder);
        Assert.That(Decoder.ReadSize(folder["out/triples.png"]).Width, Is.GreaterThan(900));
    }

    [Test]
    public void Headers_alone_miss_what_decoding_finds()
    {
        using var folder = new TemporaryFolder();
        folder.Images("query/0.png");
        var whole = SmallImage.Png(40, 40, (x, y) => ((byte)(x * x * 7), (byte)(y * y * 11), (byte)(x * y), 255));
        folder.Write("database/0.png", whole[..(whole.Length / 2)]);
        folder.Write("ground_truth.csv", "query,database\n0.png,0.png\n");
        var set = folder.Open();
        Assert.That(DataInspection.Of(set, Decoder).BadImages, Is.Empty);
        Assert.That(DataInspection.Of(set, Decoder, decodeAll: true).BadImages, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_set_that_would_be_refused_is_still_looked_at()
    {
        using var folder = new TemporaryFolder();
        folder.Images("query/0.png", "database/0.png");
        folder.Write("ground_truth.csv", "query,database\n");
        var found = DataInspection.Of(folder.Open(), Decoder);
        Assert.That(found.Refusal, Does.Contain("holds no right answer"));
        Assert.That((found.WriteMap(folder["map.png"]), found.Period, found.Extent), Is.EqualTo((false, ((DateTime, DateTime)?)null, ((double, double)?)null)));
        Assert.That(() => found.WriteTriples(folder["triples.png"], Decoder), Throws.Nothing);
        Assert.That(File.Exists(folder["map.png"]), Is.False);
    }

    [Test]
    public void Medians_are_of_the_middle()
    {
        Assert.That(Spread.Of([]), Is.EqualTo(new Spread(0, 0, 0)));
        Assert.That(Spread.Of([5, 1, 9]), Is.EqualTo(new Spread(1, 5, 9)));
        Assert.That(Spread.Of([5, 1, 9, 6]), Is.EqualTo(new Spread(1, 5.5, 9)));
    }

    [Test]
    public void It_stops_when_asked()
    {
        using var folder = new TemporaryFolder();
        folder.Images("query/@1@2@.png", "database/@1@2@.png");
        Assert.That(() => DataInspection.Of(folder.Open(), Decoder, token: new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
    }

    private sealed class Recorded : IProgressSink
    {
        public List<string> Heard { get; } = [];

        public void Begin(string what, long total, string unit) => Heard.Add($"{what} {total}");

        public void Advance(long done) => Heard.Add($"{done}");

        public void Line(string text) => Heard.Add(text);
    }
}
