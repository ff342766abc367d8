using System.Numerics;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;
using ILGPU;

namespace IlgpuNetVlad.Tests.SearchTests;

/// <summary>Exact search on tensor cores: bf16 leaves rows out, and may never leave out one that belongs to the answer.</summary>
[TestFixture]
public sealed class TensorSearch
{
    private static readonly Operation Search = NearestNeighbours.Operation;
    private static readonly Variant Tensor = Search.AllVariants.Single(v => v.Kind == VariantKind.TensorCore);

    /// <summary>Rows that differ by a thousandth of what bf16 can tell apart: its sums order them at random.</summary>
    [Test]
    public void RowsThatBf16CannotTellApart_AreInOrder([Values(40, 333)] int d)
    {
        var shape = new SearchShape(3, 300, d, 5);
        var random = new Random(d);
        float[] centre = Numbers(random, d, 1), queries = Near(random, centre, shape.Queries), database = Near(random, centre, shape.Database);
        var expected = VariantsAgree.Run(Search, Search.AllVariants[^1], Devices.Cpu, shape, [queries, database, [], []]);
        var actual = VariantsAgree.Run(Search, Tensor, Devices.Emitted, shape, [queries, database, [], []]);
        Assert.That(Bits(actual[3]), Is.EqualTo(Bits(expected[3])).AsCollection);
    }

    /// <summary>Large and tiny lengths side by side, infinity and NaN: what the bound cannot say stays in.</summary>
    [Test]
    public void OddRows_AreWhereTheyBelong()
    {
        const int d = 24, rows = 200;
        var shape = new SearchShape(4, rows, d, 7);
        var random = new Random(6);
        float[] queries = Numbers(random, 4 * d, 1), database = Numbers(random, rows * d, 1);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < d; j++)
                database[i * d + j] *= MathF.Pow(10, i % 13 - 6);
        database[170 * d + 3] = float.PositiveInfinity;
        database[171 * d + 5] = float.NaN;
        database[172 * d + 7] = 3e38f;
        queries[d] = 3e19f;
        queries[2 * d] = 1e-30f;
        var simt = VariantsAgree.Run(Search, Search.AllVariants.Single(v => v.Kind == VariantKind.Simt), Devices.Emitted, shape, [queries, database, [], []]);
        var tensor = VariantsAgree.Run(Search, Tensor, Devices.Emitted, shape, [queries, database, [], []]);
        Assert.That(Bits(tensor[3]), Is.EqualTo(Bits(simt[3])).AsCollection);
        Assert.That(Bits(tensor[2]), Is.EqualTo(Bits(simt[2])).AsCollection, "distances, bit for bit");
    }

    /// <summary>Of a block that is twice as large as all before it, about 2·K rows are nearer than the K-th of those; hardly more may be left.</summary>
    [Test]
    public void FewRowsAreLeft()
    {
        const int d = 64, k = 4, rows = 512, queries = 20;
        var shape = new SearchShape(queries, rows, d, k);
        var random = new Random(9);
        using var launcher = new BitCounter();
        using var device = Device.Simulation(launcher: launcher);
        var results = VariantsAgree.Run(Search, Tensor, device, shape, [Units(random, queries, d), Units(random, rows, d), [], []]);
        Assert.That(results[3], Has.Length.EqualTo(queries * k));
        Assert.That(launcher.Left[0], Is.EqualTo(queries * 64), "all of the first block");
        Assert.That(launcher.Left, Has.Count.EqualTo(4));
        foreach (int left in launcher.Left.Skip(1))
            Assert.That(left, Is.LessThan(3 * queries * k));
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];

    private static float[] Near(Random random, float[] centre, int rows) => [.. Enumerable.Range(0, rows).SelectMany(_ => centre.Select(c => c + (random.NextSingle() * 2 - 1) * 4e-6f))];

    private static float[] Numbers(Random random, int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2 - 1) * scale)];

    private static float[] Units(Random random, int rows, int d) => [.. Enumerable.Range(0, rows).SelectMany(_ =>
    {
        float[] v = Numbers(random, d, 1);
        float length = MathF.Sqrt(v.Sum(x => x * x));
        return v.Select(x => x / length);
    })];

    /// <summary>Counts the bits of each filter's mask.</summary>
    private sealed unsafe class BitCounter : IKernelLauncher, IDisposable
    {
        private readonly PtxLauncher inner = new();

        public List<int> Left { get; } = [];

        public void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments)
        {
            inner.Launch(kernel, config, arguments);
            if (!kernel.Name.StartsWith("search.filter", StringComparison.Ordinal))
                return;
            int left = 0;
            foreach (byte b in new ReadOnlySpan<byte>((void*)arguments[5].Pointer, (int)arguments[5].Bytes))
                left += BitOperations.PopCount(b);
            Left.Add(left);
        }

        public void Encode(in TensorBox box, Span<float> map) => inner.Encode(box, map);

        public void Dispose() => inner.Dispose();
    }
}
