using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
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
}
