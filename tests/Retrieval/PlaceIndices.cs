using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>Known places: described, kept in a file, found again.</summary>
[TestFixture]
public sealed class PlaceIndices
{
    private static readonly SkiaImageDecoder Decoder = new();

    private TemporaryFolder folder = null!;
    private Network network = null!;

    [SetUp]
    public void MakeFolder()
    {
        folder = new();
        network = City();
    }

    [TearDown]
    public void RemoveFolder()
    {
        network.Dispose();
        folder.Dispose();
    }

    [Test]
    public void ADescriberMakesTheExtractorsBits_OfAnySizeInAnyOrder([Values] bool pca)
    {
        if (pca)
            network.Pca = SomePca(network.PooledLength, 7);
        string[] paths = [.. new[] { (33, 40), (33, 52), (40, 33), (64, 48) }.Select((size, i) => Photo($"{i}.png", size.Item1, size.Item2, i))];
        var expected = Extractor.Extract(network, paths, Decoder, network.Settings.Resize);
        using var describer = new ImageDescriber(network);
        foreach (int i in (int[])[0, 1, 2, 3, 0])
            Assert.That(describer.Describe(Decoder.Decode(paths[i], ResizePolicy.Native)), Is.EqualTo(expected.Row(i).ToArray()).AsCollection);
        Assert.Throws<ArgumentException>(() => describer.Describe(Decoder.Decode(paths[0], ResizePolicy.Native), new float[3]));
    }

    [Test]
    public void FramesOfOneSize_AllocateNothingOnTheDevice()
    {
        using var describer = new ImageDescriber(network);
        var descriptor = new float[describer.Dimension];
        describer.Describe(Pixels(30, 40, 1), descriptor);
        long before = Devices.Cpu.AllocatedBytes;
        describer.Describe(Pixels(30, 40, 2), descriptor);
        Assert.That(Devices.Cpu.AllocatedBytes, Is.EqualTo(before));
    }

    [Test]
    public void ADescriberFollowsItsNetwork()
    {
        using var describer = new ImageDescriber(network);
        var image = Pixels(30, 40, 1);
        float[] before = describer.Describe(image);
        var weight = network.Parameters[0];
        weight.Write([.. weight.Read().Select(x => -x)]);
        Assert.That(describer.Describe(image), Is.Not.EqualTo(before).AsCollection);
        foreach (int length in (int[])[3, 5])
        {
            network.Pca = SomePca(network.PooledLength, length);
            using var fresh = new ImageDescriber(network);
            Assert.That(describer.Describe(image), Has.Length.EqualTo(length).And.EqualTo(fresh.Describe(image)).AsCollection);
        }
        network.Pca = null;
        Assert.That(describer.Describe(image), Has.Length.EqualTo(network.PooledLength));
    }

    /// <summary>Some places at first, then one by one, then so many that all are searched as one again.</summary>
    [Test]
    public void AGrowingIndexAnswersAsOneSearchOfAll()
    {
        using var index = new PlaceIndex(network);
        int d = index.Dimension;
        var random = new Random(4);
        var all = new List<float[]>();
        var queries = new DescriptorMatrix(3, d, [.. Enumerable.Range(0, 3).SelectMany(_ => Unit(random, d))]);
        foreach (int more in (int[])[5, 1, 1, 20, 1100, 1])
        {
            for (int i = 0; i < more; i++)
            {
                // One in four is an older one's double, so that equal distances must keep their order.
                all.Add(all.Count % 4 == 3 ? all[all.Count / 2] : Unit(random, d));
                index.Add(new($"place {all.Count - 1}"), all[^1]);
            }
            using var search = new ExactSearch(Devices.Cpu, new(all.Count, d, [.. all.SelectMany(v => v)]));
            var (rows, distances) = search.Find(queries, 9);
            var answers = index.Find(queries, 9);
            for (int q = 0; q < 3; q++)
            {
                Assert.That(answers[q].Select(a => a.Place.Path), Is.EqualTo(rows[q].Select(r => $"place {r}")));
                Assert.That(answers[q].Select(a => a.SquaredDistance), Is.EqualTo(distances[q]));
            }
            Assert.That(index.Find(queries.Row(1).ToArray(), 1).Single(), Is.EqualTo(answers[1][0]));
        }
        Assert.That(index.Count, Is.EqualTo(all.Count));
    }

    [Test]
    public void AnEmptyIndexAnswersNothing_AndDepthIsChecked()
    {
        using var index = new PlaceIndex(network);
        Assert.That(index.Find(Pixels(30, 40, 1)), Is.Empty);
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Find(new float[index.Dimension], 0));
        Assert.Throws<ArgumentException>(() => index.Find(new float[2]));
        Assert.Throws<ArgumentException>(() => index.Add(new("x"), new float[2]));
        Assert.That(Assert.Throws<UserErrorException>(() => Localised.Of(index, [], Decoder))!.Message, Does.Contain("no place"));
    }

    [Test]
    public void AFileHoldsNetworkAndPlaces_AndMovesWithItsPhotographs()
    {
        network.Pca = SomePca(network.PooledLength, 6);
        string near = Photo("home/photos/@512082.5@5410169@32@U@48.84379@9.16462@p@.png", 33, 40, 1), far = Photo("elsewhere/b.png", 40, 33, 2);
        using (var index = new PlaceIndex(network))
        {
            Assert.That(index.AddFiles([.. Place.Named(near), .. Place.Named(far), new(folder["no.png"])], Decoder, onBad: (_, _) => { }), Is.EqualTo(2));
            index.Add(new("node 17"), Pixels(30, 30, 3));
            index.Save(folder["home/index.safetensors"]);
        }
        Directory.Move(folder["home"], folder["away"]);
        using var loaded = PlaceIndex.Load(Devices.Cpu, folder["away/index.safetensors"]);
        Assert.That(loaded.Places, Is.EqualTo(new Place[]
        {
            new(folder["away/photos/@512082.5@5410169@32@U@48.84379@9.16462@p@.png"], new(48.84379, 9.16462)) { Metres = (512082.5, 5410169) },
            new(far),
            new("node 17"),
        }));
        Assert.That(loaded.Dimension, Is.EqualTo(6));
        var answers = loaded.Find(Decoder.Decode(far, ResizePolicy.Native), 2);
        Assert.That(answers[0].Place.Path, Is.EqualTo(far));
        Assert.That(answers[0].SquaredDistance, Is.EqualTo(0).Within(1e-6));
        Assert.That(answers[0].Similarity, Is.EqualTo(1).Within(1e-6));
        Assert.That(answers[1].Similarity, Is.LessThan(answers[0].Similarity));

        // And grows on, over its own file.
        loaded.Add(new("node 18"), Pixels(50, 30, 4));
        loaded.Save(folder["away/index.safetensors"]);
        Assert.That(loaded.Find(Pixels(45, 30, 4), 1), Has.Count.EqualTo(1), "another size needs the weights again, whose file is another by now");
        using var again = PlaceIndex.Load(Devices.Cpu, folder["away/index.safetensors"]);
        Assert.That(again.Places, Is.EqualTo(loaded.Places));
        using var plain = Network.Load(Devices.Cpu, folder["away/index.safetensors"]);
        Assert.That(plain.Parameters[0].Read(), Is.EqualTo(network.Parameters[0].Read()).AsCollection, "an index is a network's file too");
    }

    [Test]
    public void OtherFilesAreNamed()
    {
        network.Save(folder["w"]);
        Assert.That(Refusal("w"), Does.Contain(folder["w"]).And.Contain("no known places"));
        Assert.That(Refusal("missing"), Does.Contain("missing"));
        string path = folder["i"];
        using (var index = new PlaceIndex(network))
        {
            index.Add(new("a"), Pixels(30, 30, 1));
            index.Add(new("b"), Pixels(30, 30, 2));
            index.Save(path);
        }
        var file = SafetensorsFile.Read(path);
        void Write(Func<SafetensorsTensor, SafetensorsTensor> change, string? places = null)
            => SafetensorsFile.Write(folder["broken"], file.Tensors.Select(t => t.Name.StartsWith("places", StringComparison.Ordinal) ? change(t) : t),
                file.Metadata.ToDictionary(m => m.Key, m => m.Key == "places" && places is not null ? places : m.Value));
        Write(t => t, """[{"path":"a"}]""");
        Assert.That(Refusal("broken"), Does.Contain("lists 1 places"));
        Write(t => t, "[");
        Assert.That(Refusal("broken"), Does.Contain("cannot be read"));
        Write(t => t, """[{"path":"a"},{"latitude":3}]""");
        Assert.That(Refusal("broken"), Does.Contain("cannot be read"));
        Write(t => t with { Values = [.. t.Values.Select((x, i) => i == t.Values.Length - 1 ? float.NaN : x)] });
        Assert.That(Refusal("broken"), Does.Contain("descriptor of b"));
        Write(t => t with { Shape = [2, t.Shape[1] / 2], Values = t.Values[..(t.Values.Length / 2)] });
        Assert.That(Refusal("broken"), Does.Contain("its network makes"));
        File.WriteAllBytes(folder["broken"], File.ReadAllBytes(path)[..^4]);
        Assert.That(Refusal("broken"), Does.Contain("broken"));
    }

    [Test]
    public void AfterDispose_NothingIsAnswered()
    {
        var index = new PlaceIndex(network);
        index.Dispose();
        index.Dispose();
        Assert.Throws<ObjectDisposedException>(() => index.Find(new float[index.Dimension]));
        Assert.Throws<ObjectDisposedException>(() => index.Add(new("a"), new float[index.Dimension]));
        Assert.Throws<ObjectDisposedException>(() => index.Find(Pixels(30, 30, 1)));
        Assert.That(network.Parameters[0].Read(), Is.Not.Empty, "the network is the caller's");
    }

    private string Refusal(string name)
    {
        string message = Assert.Throws<UserErrorException>(() => PlaceIndex.Load(Devices.Cpu, folder[name]))!.Message;
        Assert.That(message, Does.EndWith(".").And.Not.Contains("\n"));
        return message;
    }

    private string Photo(string name, int height, int width, int seed)
    {
        byte[] noise = new byte[height * width * 3];
        new Random(seed).NextBytes(noise);
        return folder.Write(name, SmallImage.Png(height, width, (x, y) => (noise[3 * (y * width + x)], noise[3 * (y * width + x) + 1], (byte)(40 * seed), 255)));
    }

    private static PixelImage Pixels(int height, int width, int seed)
    {
        var rgb = new byte[height * width * 3];
        new Random(seed).NextBytes(rgb);
        return new(height, width, rgb);
    }

    private static Network City()
    {
        var network = Network.Create(Devices.Cpu, new NetworkSettings { Backbone = "city", Pooling = PoolingKind.NetVlad, Clusters = 3 }, 5);
        network.SetClusters(TinyTrunk.Numbers(new Random(3), 3 * network.LocalDimension, 0.6f), 4);
        return network;
    }

    private static Projection SomePca(int from, int to)
        => new(from, to, TinyTrunk.Numbers(new Random(8), from * to), TinyTrunk.Numbers(new Random(9), to, 0.01f), [.. Enumerable.Range(0, to).Select(i => 1f / (i + 1))]);

    private static float[] Unit(Random random, int length)
    {
        float[] v = TinyTrunk.Numbers(random, length);
        double norm = Math.Sqrt(v.Sum(x => (double)x * x));
        return [.. v.Select(x => (float)(x / norm))];
    }
}
