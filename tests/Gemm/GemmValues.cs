using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.GemmTests;

[TestFixture]
public sealed class GemmValues
{
    public static IEnumerable<TestCaseData> Cases()
        => from pair in Devices.VariantsOf(Gemm.Operation, new GemmShape(2, 2, 3))
           from a in new[] { 0, 1 }
           from b in new[] { 0, 1 }
           select new TestCaseData(pair.Variant, pair.Device, a, b).SetArgDisplayNames(pair.Variant.Name, pair.Device.Kind.ToString(), a == 1 ? "aᵀ" : "a", b == 1 ? "bᵀ" : "b");

    /// <summary>[1 2 3; 4 5 6] · [1 10; 100 1000; 0 −1], however each lies in memory.</summary>
    [TestCaseSource(nameof(Cases))]
    public void Product_ByHand(Variant variant, Device device, int transposeA, int transposeB)
    {
        float[] a = transposeA == 1 ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6];
        float[] b = transposeB == 1 ? [1, 100, 0, 10, 1000, -1] : [1, 10, 100, 1000, 0, -1];
        float[] c = VariantsAgree.Run(Gemm.Operation, variant, device, new GemmShape(2, 2, 3, transposeA, transposeB), [a, b, []])[2];
        Assert.That(c, Is.EqualTo(new float[] { 201, 2007, 504, 5034 }));
    }

    /// <summary>Every layout in memory is the same product, and so is every host variant: the same bits, since each number is summed over k in order.</summary>
    [TestCase(1, 4)]
    [TestCase(5, 7)]
    [TestCase(16, 300)]
    [TestCase(250, 129)]
    public void Host_GivesTheSameBits_ForEveryLayout(int m, int n)
    {
        const int K = 2123;
        var random = new Random(5);
        float[] a = new float[m * K], b = new float[K * n];
        foreach (float[] values in new[] { a, b })
            for (int i = 0; i < values.Length; i++)
                values[i] = random.NextSingle() * 2 - 1;
        float[]? expected = null;
        foreach (var host in Gemm.Operation.Variants.Where(v => v.Kind == VariantKind.Host && v.Refuses(Devices.Cpu, new(m, n, K)) is null))
            for (int layout = 0; layout < 4; layout++)
            {
                int transposeA = layout & 1, transposeB = layout >> 1;
                float[] product = VariantsAgree.Run(Gemm.Operation, host, Devices.Cpu, new GemmShape(m, n, K, transposeA, transposeB),
                    [transposeA == 1 ? Turned(a, m, K) : a, transposeB == 1 ? Turned(b, K, n) : b, []])[2];
                Assert.That(product, Is.EqualTo(expected ??= product), $"{host.Name}, a {transposeA}, b {transposeB}");
            }
    }

    /// <summary>Whoever has room for many rows has it for fewer, whatever variant takes those: projections run so.</summary>
    [Test]
    public void Host_FewerRows_NeedNoMoreWorkspace([Values(60, 1200, 5000)] int n, [Values(20, 3000)] int k, [Values(1, 2, 3, 16)] int threads)
    {
        using var device = Device.Cpu(threads);
        long before = 0;
        for (int m = 1; m < 1500; m++)
        {
            long now = Gemm.Operation.Workspace(device, new(m, n, k, 0, 1));
            Assert.That(now, Is.GreaterThanOrEqualTo(before), $"{m} rows");
            before = now;
        }
    }

    /// <summary>Slices of k and tiles do not show in a number: a row alone has the bits that it has among others.</summary>
    [TestCase(Precision.Bf16)]
    [TestCase(Precision.Tf32)]
    public void TensorCores_GiveARowTheSameBits_AloneAndAmongOthers(Precision precision)
    {
        const int Rows = 3, Columns = 66, K = 2300;
        var random = new Random(5);
        float[] a = new float[Rows * K], b = new float[Columns * K];
        foreach (float[] values in new[] { a, b })
            for (int i = 0; i < values.Length; i++)
                values[i] = random.NextSingle() * 2 - 1;
        var bits = Gemm.Operation.Variants.Where(v => v.Precision == precision && v.Refuses(Devices.Emitted, new(Rows, Columns, K, 0, 1)) is null)
            .SelectMany(v => new[] { Product(v, a, Rows).AsSpan((Rows - 1) * Columns).ToArray(), Product(v, a[((Rows - 1) * K)..], 1) }).ToArray();
        foreach (float[] row in bits)
            Assert.That(row.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(bits[0].Select(BitConverter.SingleToInt32Bits)));

        float[] Product(Variant variant, float[] left, int rows) => VariantsAgree.Run(Gemm.Operation, variant, Devices.Emitted, new GemmShape(rows, Columns, K, 0, 1), [left, b, []])[2];
    }

    /// <summary>A projection to 4,096 numbers: 32 tiles of columns are cut into 8 slices of k each, however many rows there are.</summary>
    [Test]
    public void TensorCores_CutKByItselfAlone([Values(1, 48, 1000)] int rows)
    {
        var wide = Gemm.Operation.Variants.First(v => v.Name == "tf32-128x128x16");
        Assert.That(wide.Workspace(Devices.Emitted, new(rows, 4096, 32768, 0, 1)), Is.EqualTo(8L * rows * 4096), "the slices' sums");
    }

    [TestCase(200_000, 1500, 10_000, 0, TestName = "slices with sums beyond int indices")]
    [TestCase(48, 4096, 32_768, 1, TestName = "what must not be rounded")]
    public void TensorCores_LeaveToFp32(int m, int n, int k, int exact)
    {
        using var device = Device.Simulation(Precision.Bf16);
        Assert.That(Gemm.Operation.Choose(device, new(m, n, k, 0, 1, exact)).Name, Does.StartWith("simt"));
        Assert.That(Gemm.Operation.Choose(device, new(m / 10, n, k, 0, 1)).Name, Does.StartWith("bf16"));
    }

    [TestCase(-1, 2, 3)]
    [TestCase(1, 0, 3)]
    [TestCase(1, 2, 0)]
    public void EmptyOrNegativeSizes_AreRefused(int m, int n, int k)
        => Assert.That(new GemmShape(m, n, k).Wrong(), Does.Contain("must"));

    [TestCase(100_000, 100_000, 3)]
    [TestCase(100_000, 3, 100_000)]
    [TestCase(3, 100_000, 100_000)]
    public void MatricesBeyondIntIndices_AreRefused(int m, int n, int k)
        => Assert.That(new GemmShape(m, n, k).Wrong(), Does.Contain("blocks of rows"));

    private static float[] Turned(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                turned[j * rows + i] = values[i * columns + j];
        return turned;
    }
}
