using IlgpuNetVlad.Engine.Data.City;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.Data.City;

public sealed class CityIsWritten
{
    private static readonly CityOptions Small = new() { Width = 48, Height = 36, TrainPlaces = 4, ValPlaces = 3, TestPlaces = 3, TrainQueries = 3, ValQueries = 2, TestQueries = 2 };
    private string _folder = "";

    [SetUp]
    public void Prepare() => _folder = Path.Combine(Path.GetTempPath(), "city-" + Guid.NewGuid().ToString("N"));

    [TearDown]
    public void Remove()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, true);
    }

    [Test]
    public void WholeAndOnce()
    {
        var last = (Done: 0, Total: 0);
        var count = CityWriter.Write(_folder, Small, (done, total) => last = (done, total));
        Assert.That(count, Is.EqualTo((4 + 3 + 3) * 8 + 7));
        Assert.That(last, Is.EqualTo((count, count)));
        Assert.That(CityWriter.Exists(_folder, Small));
        Assert.That(CityWriter.Exists(_folder, Small with { Seed = 2 }), Is.False);
        var queries = Directory.GetFiles(Path.Combine(_folder, "images", "test", "queries"));
        Assert.That(queries, Has.Length.EqualTo(2));
        using var picture = SKBitmap.Decode(queries[0]);
        Assert.That((picture.Width, picture.Height), Is.EqualTo((48, 36)));

        var written = File.GetLastWriteTimeUtc(queries[0]);
        CityWriter.Write(_folder, Small);
        Assert.That(File.GetLastWriteTimeUtc(queries[0]), Is.EqualTo(written), "a complete city is reused");
        File.Delete(queries[0]);
        Assert.That(CityWriter.Exists(_folder, Small), Is.False);
        CityWriter.Write(_folder, Small);
        Assert.That(CityWriter.Exists(_folder, Small), "a damaged city is written anew");
    }

    [Test]
    public void NothingRemainsOfACancelledCity()
    {
        using var stop = new CancellationTokenSource();
        Assert.That(() => CityWriter.Write(_folder, Small, (done, _) => { if (done == 5) stop.Cancel(); }, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.Exists(_folder), Is.False);
        Assert.That(Directory.GetDirectories(Path.GetDirectoryName(_folder)!, Path.GetFileName(_folder) + "*"), Is.Empty);
    }

    [Test]
    public void AFolderOfSomethingElseIsLeftAlone()
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "thesis.txt"), "mine");
        Assert.That(() => CityWriter.Write(_folder, Small), Throws.InstanceOf<IOException>());
        Assert.That(File.Exists(Path.Combine(_folder, "thesis.txt")));
    }

    [Test]
    public void ImpossibleSizesAreRefused()
        => Assert.That(() => CityWriter.Write(_folder, Small with { Width = 4 }), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
