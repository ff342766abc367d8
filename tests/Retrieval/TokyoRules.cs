using System.Buffers.Binary;
using System.IO.Compression;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>The rules of Tokyo 24/7 hold for sets that are ordered as it is, and for no others.</summary>
[TestFixture]
public sealed class TokyoRules
{
    private static ImageRecord At(string name, double east, double north = 0, string? panorama = null) => new(name, east, north, null, panorama, null, null);

    private static Dataset Set(IEnumerable<ImageRecord> database, IEnumerable<ImageRecord>? queries = null)
        => new("set", "all", [.. database], [.. queries ?? [At("q", 0)]]);

    /// <summary>Two panoramas of 12 cutouts, 100 m apart.</summary>
    private static IEnumerable<ImageRecord> Blocks(int images = 24) => Enumerable.Range(0, images).Select(i => At($"d{i:00}", i / 12 * 100));

    private static RecallReport Evaluate(Dataset set)
    {
        // Nearest first in the order of the database.
        DescriptorMatrix database = new(set.Database.Count, 1, [.. Enumerable.Range(0, set.Database.Count).Select(i => (float)i)]), queries = new(set.Queries.Count, 1, new float[set.Queries.Count]);
        return Evaluation.Evaluate(Devices.Cpu, set, database, queries, new(PanoramaRule: true));
    }

    private static string Refusal(Action what)
    {
        string message = Assert.Throws<UserErrorException>(what)!.Message;
        Assert.That(message, Does.StartWith("set ").And.EndsWith(".").And.Not.Contains("\n"));
        return message;
    }

    [Test]
    public void BlocksOfOnePositionArePanoramas()
        => Assert.That(Evaluate(Set(Blocks())).Answers[0], Is.EqualTo(new[] { 0, 12 }));

    [Test]
    public void IdsGoBeforeBlocks()
        => Assert.That(Evaluate(Set(Enumerable.Range(0, 5).Select(i => At($"d{i}", 100 * i, panorama: $"p{i / 2}")))).Answers[0], Is.EqualTo(new[] { 0, 2, 4 }));

    [Test]
    public void OtherSetsAreNotCutIntoBlocks()
    {
        Assert.That(Refusal(() => Evaluate(Set(Blocks(25)))), Does.Contain("its 25 images are no blocks of 12").And.Contain("leave --panoramas out"));
        Assert.That(Refusal(() => Evaluate(Set(Blocks().Select((d, i) => i == 7 ? d with { Northing = 0.5 } : d)))), Does.Contain("d07 does not stand where"));
        Assert.That(Refusal(() => Evaluate(Set(Blocks().Select((d, i) => i == 7 ? d with { Panorama = "p" } : d)))), Does.Contain("only 1 of its 24"));
        // Without positions nothing tells that they are blocks.
        Assert.That(Refusal(() => Evaluate(new("set", "all", [.. Blocks().Select(d => d with { Easting = double.NaN })], [At("q", 0)], truth: [[0]]))), Does.Contain("d00 does not stand"));
    }

    /// <summary>The blocks are those of the set before images that cannot be read are left out.</summary>
    [Test]
    public void AnImageThatIsLeftOutMovesNoBlock()
    {
        var named = Panoramas.Named(Set(Blocks(36)));
        var rest = named.Restrict([0], Enumerable.Range(0, 36).Where(d => d != 3));
        Assert.That(Evaluate(rest).Answers[0], Is.EqualTo(new[] { 0, 11, 23 }));
    }

    [Test]
    public void ThreesOfOnePlaceAreTimesOfDay()
    {
        ImageRecord[] queries = [At("a", 0), At("b", 0.9), At("c", 0), At("d", 50), At("e", 50), At("f", 50)];
        Assert.That(() => TimesOfDay.Check(Set(Blocks(), queries)), Throws.Nothing);
        Assert.That(Refusal(() => TimesOfDay.Check(Set(Blocks(), queries[..5]))), Does.Contain("its 5 queries are no threes").And.Contain("leave --times-of-day out"));
        Assert.That(Refusal(() => TimesOfDay.Check(Set(Blocks(), [.. queries[1..], At("g", 50)]))), Does.Contain("query 1, b, and query 3, d, are not of one place"));
    }

    [Test]
    public void ThreesOfOneListedTruthAreTimesOfDay()
    {
        ImageRecord[] images = [At("a", double.NaN), At("b", double.NaN), At("c", double.NaN)];
        Assert.That(() => TimesOfDay.Check(new("set", "all", images, images, truth: [[0, 1], [1, 0], [0, 1]])), Throws.Nothing);
        Assert.That(Refusal(() => TimesOfDay.Check(new("set", "all", images, images, truth: [[0], [1], [1]]))), Does.Contain("query 2, b"));
    }

    /// <summary>The published positions: blocks of 12 in the database, threes among the queries.</summary>
    [Test]
    public void TheRealSetIsOrderedSo()
    {
        using var archive = ZipFile.OpenRead(SharedFolder.Require("data", "splits", "tokyo247.npz"));
        var set = Set(Positions(archive, "utmDb", "d"), Positions(archive, "utmQ", "q"));
        Assert.That((set.Database.Count, set.Queries.Count), Is.EqualTo((75984, 315)));
        Assert.That(Panoramas.Of(set).Distinct().Count(), Is.EqualTo(75984 / 12));
        Assert.That(() => TimesOfDay.Check(set), Throws.Nothing);
    }

    /// <summary>Rows of float64 pairs, as numpy.savez writes them.</summary>
    private static IEnumerable<ImageRecord> Positions(ZipArchive archive, string name, string prefix)
    {
        using var stream = archive.GetEntry($"{name}.npy")!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        byte[] bytes = copy.ToArray();
        int at = 10 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        double[] numbers = [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(bytes.AsSpan(at))];
        return numbers.Chunk(2).Select((p, i) => At($"{prefix}{i:00000}", p[0], p[1]));
    }
}
