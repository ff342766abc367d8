using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>eval</c> of retrieval sets, from end to end, on pictures of which some are alike.</summary>
[TestFixture, Parallelizable]
public sealed class RetrievalCommand
{
    private TemporaryFolder folder = null!;

    /// <summary>Two scenes of three pictures each, nearly the same, and two that show neither.</summary>
    [SetUp]
    public void MakeSet()
    {
        folder = new();
        for (int i = 0; i < 8; i++)
            folder.Write($"images/{"ab"[i % 2]}_{i:D6}.jpg", Picture(i < 6 ? i % 2 : i, i));
        Query("a_1", "oxc1_a_000000", ["a_000002"], ["a_000004"], ["a_000000"]);
        Query("b_1", "oxc1_b_000001", ["b_000003"], ["b_000005"], ["b_000001"]);
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void PicturesThatAreAlikeAreFound_AndOneThatIsNotCosts()
    {
        Assert.That(Mean(), Is.EqualTo(1));
        Assert.That(Mean("--whole-query"), Is.EqualTo(1));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, folder.Path).Done().Output, Does.Contain("2 queries, 8 images").And.Contain("100.0"));
        // Whatever is asked, the others of its scene are more like it.
        Query("a_1", "oxc1_a_000000", ["b_000007"], [], ["a_000000"]);
        var answer = Netvlad.Run("eval", SmallCity.Weights, folder.Path, "--json").Done().Json();
        var row = answer.GetProperty("rows")[0];
        var each = row.GetProperty("averagePrecisions").EnumerateArray().ToDictionary(p => p.GetProperty("query").GetString()!, p => p.GetProperty("precision").GetDouble());
        Assert.That(each["b_1"], Is.EqualTo(1));
        Assert.That(each["a_1"], Is.LessThan(0.4));
        Assert.That(row.GetProperty("meanAveragePrecision").GetDouble(), Is.EqualTo(each.Values.Average()));
    }

    [Test]
    public void ARegionGrownToTheWholeImage_AsksAsTheWholeImageDoes()
    {
        // The city's local descriptors see 51 pixels: beyond every border of 48×64.
        using var network = Network.Load(Devices.Cpu, SmallCity.Weights);
        Assert.That(network.ReceptiveField, Is.EqualTo(51));
        var job = new RetrievalJob { Network = new NetworkRequest { Weights = SmallCity.Weights }, Set = folder.Path };
        double[] Precisions(bool whole) => [.. (job with { WholeQuery = whole }).Run(Devices.Cpu, new SkiaImageDecoder(), new Tests.Training.Quiet()).ByDimension[0].Precisions];
        Assert.That(Precisions(false), Is.EqualTo(Precisions(true)));
        Query("a_1", "oxc1_a_000000", ["a_000002"], ["a_000004"], ["a_000000"], "500 500 600 600");
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, folder.Path).Refused(), Does.Contain("a_000000.jpg").And.Contain("outside"));
    }

    /// <summary>51 pixels are seen, so 25.5 are added on each side, at the size that the images have in the network.</summary>
    [TestCase("native", 54, 74, 92, 102)]
    [TestCase("longest:150", 14, 24, 72, 76)]
    public void ARegionIsGrownByHalfOfWhatALocalDescriptorSees(string resize, int top, int left, int height, int width)
    {
        using var network = new NetworkRequest { Weights = SmallCity.Weights, Resize = resize }.Open(Devices.Cpu, 1);
        string path = folder.Write("large.png", SmallImage.Png(200, 300, (x, y) => ((byte)x, (byte)y, (byte)(x / 2 + y / 2), 255)));
        var decoder = new SkiaImageDecoder();
        var cut = RetrievalJob.Cut(path, new(100, 80, 150, 120), network, decoder);
        Assert.That((cut.Height, cut.Width), Is.EqualTo((height, width)));
        Assert.That(cut.Rgb, Is.EqualTo(decoder.Decode(path, network.Settings.Resize).Crop(top, left, height, width).Rgb).AsCollection);
        Assert.That(RetrievalJob.Cut(path, new(-5, 10, 299, 500), network, decoder).Rgb, Is.EqualTo(decoder.Decode(path, network.Settings.Resize).Rgb).AsCollection, "no farther than the image goes");
    }

    [Test]
    public void ShorterDescriptorsNeedAPca_AndUnreadableImagesAreToldWithTheirQueries()
    {
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, folder.Path, "--dims", "4").Refused(), Does.Contain("no PCA"));
        string whitened = folder["w.safetensors"];
        Netvlad.Run("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "8", "--output", whitened).Done();
        var rows = Netvlad.Run("eval", whitened, folder.Path, "--dims", "8,4", "--json").Done().Json().GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("dimension").GetInt32());
        Assert.That(rows, Is.EqualTo(new[] { 8, 4 }));
        Assert.That(Netvlad.Run("eval", whitened, folder.Path, "--dims", "9").Refused(), Does.Contain("cannot be cut to 9"));
        folder.Write("images/b_000001.jpg", "no picture");
        folder.Write("images/a_000004.jpg", "");
        var answer = Netvlad.Run("eval", SmallCity.Weights, folder.Path, "--json").Done().Json();
        Assert.That((answer.GetProperty("queries").GetInt32(), answer.GetProperty("lostQueries").GetInt32(), answer.GetProperty("skipped").GetArrayLength()), Is.EqualTo((1, 1, 2)));
        Assert.That(answer.GetProperty("rows")[0].GetProperty("meanAveragePrecision").GetDouble(), Is.EqualTo(1));
    }

    [Test]
    public void OptionsOfOtherSetsAreRefused()
    {
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, folder.Path, "--split", "test").Refused(2), Does.Contain("--split").And.Contain("retrieval set"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--whole-query").Refused(2), Does.Contain("--whole-query"));
    }

    private double Mean(params string[] more)
        => Netvlad.Run(["eval", SmallCity.Weights, folder.Path, "--json", .. more]).Done().Json().GetProperty("rows")[0].GetProperty("meanAveragePrecision").GetDouble();

    private void Query(string name, string image, string[] good, string[] ok, string[] junk, string region = "10 8 40 40")
    {
        folder.Write($"groundtruth/{name}_query.txt", $"{image} {region}");
        folder.Write($"groundtruth/{name}_good.txt", string.Join('\n', good));
        folder.Write($"groundtruth/{name}_ok.txt", string.Join('\n', ok));
        folder.Write($"groundtruth/{name}_junk.txt", string.Join('\n', junk));
    }

    /// <summary>Patches of colour that depend on the scene, a little noise on the picture.</summary>
    private static byte[] Picture(int scene, int number)
    {
        var colours = new byte[6 * 8 * 3];
        new Random(scene).NextBytes(colours);
        var noise = new Random(100 + number);
        return SmallImage.Encode(48, 64, (x, y) =>
        {
            int at = (y / 8 * 8 + x / 8) * 3;
            byte Of(int channel) => (byte)Math.Clamp(colours[at + channel] + noise.Next(-4, 5), 0, 255);
            return (Of(0), Of(1), Of(2), 255);
        }, SKEncodedImageFormat.Jpeg);
    }
}
