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

    /// <summary>Every layout in memory is the same product: the same bits, since each number is summed over k in order.</summary>
    [TestCase(1, 4)]
    [TestCase(5, 7)]
    [TestCase(16, 300)]
    [TestCase(250, 129)]
    public void Host_GivesTheSameBits_ForEveryLayout(int m, int n)
    {
        const int K = 523;
        var random = new Random(5);
        float[] a = new float[m * K], b = new float[K * n];
        foreach (float[] values in new[] { a, b })
            for (int i = 0; i < values.Length; i++)
                values[i] = random.NextSingle() * 2 - 1;
        var host = Gemm.Operation.Variants[0];
        float[] Product(int transposeA, int transposeB) => VariantsAgree.Run(Gemm.Operation, host, Devices.Cpu, new GemmShape(m, n, K, transposeA, transposeB),
            [transposeA == 1 ? Turned(a, m, K) : a, transposeB == 1 ? Turned(b, K, n) : b, []])[2];
        float[] expected = Product(0, 0);
        Assert.That(Product(1, 0), Is.EqualTo(expected), "aᵀ");
        Assert.That(Product(0, 1), Is.EqualTo(expected), "bᵀ");
        Assert.That(Product(1, 1), Is.EqualTo(expected), "aᵀ, bᵀ");
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
