using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>Images of several sizes go through the network by size, and their rows come out in the order that was asked for.</summary>
[TestFixture]
public sealed class MixedSizes
{
    /// <summary>Paths are "height x width # seed"; what has no size is unreadable.</summary>
    private sealed class Painter : IImageDecoder
    {
        public (int Height, int Width) ReadSize(string path)
        {
            var parts = path.Split('x', '#');
            return parts.Length == 3 ? (int.Parse(parts[0]), int.Parse(parts[1])) : throw new ImageException(path, "it has no size");
        }

        public PixelImage Decode(string path, ResizePolicy policy)
        {
            var (h, w) = ReadSize(path);
            if (path.EndsWith('9'))
                throw new ImageException(path, "it ends early");
            var rgb = new byte[h * w * 3];
            new Random(path.GetHashCode(StringComparison.Ordinal)).NextBytes(rgb);
            return Resampling.Resize(new(h, w, rgb), policy.Apply(h, w).Height, policy.Apply(h, w).Width);
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(16)]
    public void RowsKeepTheirOrder_AndEachIsThatOfItsImageAlone(int batch)
    {
        string[] paths = ["13x15#1", "20x14#1", "broken a", "13x15#2", "16x16#1", "20x14#9", "13x15#3", "20x14#2", "broken b", "16x16#2", "13x15#4"];
        string[] readable = [.. paths.Where(p => p.Contains('#') && !p.EndsWith('9'))];
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        var bad = new List<string>();
        var rows = Extractor.Extract(network, paths, new Painter(), ResizePolicy.Native, batch, onBad: (path, _) => bad.Add(path));
        Assert.That(rows.Names, Is.EqualTo(readable));
        Assert.That(bad, Is.EqualTo(new[] { "broken a", "broken b", "20x14#9" }), "headers are read first, in order");
        for (int i = 0; i < readable.Length; i++)
            Assert.That(rows.Row(i).ToArray(), Is.EqualTo(Extractor.Extract(network, [readable[i]], new Painter(), ResizePolicy.Native).Row(0).ToArray()).AsCollection, readable[i]);
        Assert.That(
            Assert.Throws<ImageException>(() => Extractor.Extract(network, paths, new Painter(), ResizePolicy.Native, batch))!.Path, Is.EqualTo("broken a"), "the first of them");
    }

    /// <summary>What is made of the weights depends on no size, so the second one finds it there; a size that a layer computes in another way makes its own.</summary>
    [Test]
    public void WeightsArePrepared_ForTheFirstSizeAlone()
    {
        using var device = Device.Cpu(threads: 2);
        // Maps of 30×30 have tiles enough for Winograd's method, those of 6×7 have not.
        var trunk = new Backbone(
            "tiny", (device, _) => [new ConvolutionLayer(device, "a", 3, 16, 3, padding: 1), new MaxPoolingLayer("half", 2, 2), new ConvolutionLayer(device, "b", 16, 16, 3, padding: 1)],
            CeilPooling: false, Preprocessing.City);
        using var network = Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Max }, 3, trunk);
        int alone = Prepared(out _, "60x60#1"), together = Prepared(out var rows, "60x60#1", "64x76#1", "96x60#1", "60x60#2", "64x76#2"), small = Prepared(out _, "60x60#1", "13x15#1");
        Assert.That(alone, Is.EqualTo(2), "convolutions");
        Assert.That(together, Is.EqualTo(alone));
        Assert.That(small, Is.EqualTo(3));
        Prepared(out var second, "64x76#2");
        Assert.That(rows.Row(4).ToArray(), Is.EqualTo(second.Row(0).ToArray()).AsCollection);

        int Prepared(out DescriptorMatrix rows, params string[] paths)
        {
            var count = new Preparations();
            device.Observer = count;
            rows = Extractor.Extract(network, paths, new Painter(), ResizePolicy.Native, batch: 1);
            device.Observer = null;
            return count.Count;
        }
    }

    private sealed class Preparations : IOperationObserver
    {
        public int Count { get; private set; }

        public void Ran(Operation operation, Variant variant, object problem, bool preparation, TimeSpan time) => Count += preparation ? 1 : 0;
    }

    /// <summary>A file takes rows as they come, size by size; those that never come leave no gap.</summary>
    [Test]
    public void AFile_HoldsTheSameRows()
    {
        string[] paths = ["13x15#1", "20x14#9", "13x15#2", "broken", "20x14#1", "13x15#9", "13x15#3"];
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        using var folder = new Data.TemporaryFolder();
        int rows = Extractor.ExtractTo(folder["d.npy"], network, paths, new Painter(), ResizePolicy.Native, batch: 2, onBad: (_, _) => { });
        var expected = Extractor.Extract(network, paths, new Painter(), ResizePolicy.Native, onBad: (_, _) => { });
        var read = Npy.Read(folder["d.npy"]);
        Assert.That((rows, read.Rows), Is.EqualTo((4, 4)));
        Assert.That(read.Names, Is.EqualTo(expected.Names).And.EqualTo(new[] { "13x15#1", "13x15#2", "20x14#1", "13x15#3" }));
        Assert.That(read.Values, Is.EqualTo(expected.Values.Take(read.Values.Length)).AsCollection);

        Assert.That(
            () => Extractor.ExtractTo(folder["none.npy"], network, ["broken", "20x14#9"], new Painter(), ResizePolicy.Native, onBad: (_, _) => { }),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo("None of 2 images can be read; the first is broken: it has no size."));
        Assert.That(
            () => Extractor.ExtractTo(folder["none.npy"], network, paths, new Painter(), ResizePolicy.Native), Throws.TypeOf<ImageException>());
        Assert.That(Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "d.npy", "d.txt" }), "nothing half written");
    }

    /// <summary>What is foretold does not grow with the number of images, and large ones go through in smaller batches.</summary>
    [Test]
    public void Memory_IsKnownBeforehand_AndBounded()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        Assert.That(Of("40x60", 1000).Bytes, Is.EqualTo(Of("40x60", 16).Bytes + 984 * 40 * 60 * 3), "pixels not yet collected");
        Assert.That(Of("40x60", 50_000).Bytes, Is.EqualTo(Of("40x60", 10_000).Bytes));
        var mixed = new Extraction(network, ["40x60#1", "40x60#2", "80x60#1"], new Painter(), ResizePolicy.Native);
        Assert.That((mixed.Images, mixed.Sizes), Is.EqualTo((3, 2)));
        Assert.That(mixed.ToString(), Does.Match("^3 images of 2 sizes, [0-9]+ MB of memory$"));
        Assert.That(Of("1200x1600", 16).Bytes, Is.LessThan(Of("1200x1600", 1).Bytes + (1L << 30)), "as many images as half a gigabyte takes");
        Assert.That(Of("1200x1600", 16).Bytes, Is.GreaterThan(Of("1200x1600", 1).Bytes));

        Extraction Of(string size, int count) => new(network, [.. Enumerable.Range(0, count).Select(i => $"{size}#{i}")], new Painter(), ResizePolicy.Native);
    }
}
