using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.Pooling;

/// <summary>On the processor maxima are found among bits taken as integers, which order numbers of one sign alone: windows of every mixture must have IEEE's maximum all the same.</summary>
[TestFixture, Parallelizable]
public sealed class MaximaOfAnySign
{
    private static readonly float[] Kinds = [0f, -0f, 1.5f, -1.5f, float.Epsilon, -float.Epsilon, float.PositiveInfinity, float.NegativeInfinity, float.NaN, BitConverter.UInt32BitsToSingle(0x7FC00001)];

    [TestCase(10, 2, 28)]
    [TestCase(10, 3, 28)]
    [TestCase(8, 3, 28)]
    [TestCase(6, 2, 28)]
    [TestCase(4, 3, 28)]
    [TestCase(10, 2, 12, Description = "With AVX-512 too few for its vectors.")]
    [TestCase(8, 3, 12)]
    [TestCase(6, 2, 12)]
    [TestCase(4, 3, 12)]
    [TestCase(10, 3, 5)]
    public void Host_HasTheMaximumOfIeee(int kinds, int window, int channels)
    {
        var shape = new PoolingShape(2, 13, 17, channels, window, 2);
        var random = new Random(kinds * window);
        // Some channels have numbers of one sign, as behind a ReLU.
        float[] x = [.. Enumerable.Range(0, (int)shape.XLength).Select(i => i % shape.C is >= 8 and < 16 ? -1f - random.Next(9) : i % shape.C < 2 ? random.Next(9) : Kinds[random.Next(kinds)])];
        var operation = MaxPooling.ForwardOperation;
        var inputs = operation.InputsFor(shape, 1);
        inputs[0] = x;
        var y = VariantsAgree.Run(operation, operation.Variants.First(v => v.Kind == VariantKind.Host), Devices.Cpu, shape, inputs)[^1];
        for (int i = 0; i < y.Length; i++)
        {
            int c = i % shape.C, q = i / shape.C % shape.Q, p = i / shape.C / shape.Q % shape.P, image = i / shape.C / shape.Q / shape.P;
            float most = float.NegativeInfinity;
            for (int h = p * 2; h < p * 2 + window; h++)
                for (int w = q * 2; w < q * 2 + window; w++)
                    most = MathF.Max(most, x[((image * shape.H + h) * shape.W + w) * shape.C + c]);
            bool same = float.IsNaN(most) ? float.IsNaN(y[i]) : BitConverter.SingleToUInt32Bits(most) == BitConverter.SingleToUInt32Bits(y[i]);
            Assert.That(same, $"{y[i]:R} instead of {most:R}, output {i}");
        }
    }
}
