using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>A convolution that pools has the numbers of the two operations, bit for bit.</summary>
[TestFixture, Parallelizable]
public sealed class PooledTensorCores
{
    public static IEnumerable<Variant> Variants() => Convolution.ForwardPooledOperation.AllVariants.Where(v => v.Kind is VariantKind.TensorCore or VariantKind.Wgmma);

    [TestCaseSource(nameof(Variants))]
    public void Maxima_AreThoseOfEveryPixel(Variant variant)
    {
        var shape = new ConvolutionShape(2, 9, 23, 5, 20, 3, 3, 1, 1, Relu: 1);
        Operation forward = Convolution.ForwardOperation, pooled = Convolution.ForwardPooledOperation;
        var inputs = forward.InputsFor(shape, seed: 4);
        float[] all = VariantsAgree.Run(forward, forward.AllVariants.First(v => v.Name == variant.Name), Devices.Emitted, shape, inputs)[3];
        float[] maxima = VariantsAgree.Run(pooled, variant, Devices.Emitted, shape, [inputs[0], inputs[1], inputs[2], []])[3];
        int rows = shape.P / 2, columns = shape.Q / 2;
        Assert.That(maxima, Has.Length.EqualTo(shape.B * rows * columns * shape.Oc));
        for (int i = 0; i < maxima.Length; i++)
        {
            int o = i % shape.Oc, q = i / shape.Oc % columns, p = i / shape.Oc / columns % rows, image = i / shape.Oc / columns / rows;
            float Pixel(int line, int column) => all[((image * shape.P + line) * shape.Q + column) * shape.Oc + o];
            float expected = Math.Max(Math.Max(Pixel(2 * p, 2 * q), Pixel(2 * p, 2 * q + 1)), Math.Max(Pixel(2 * p + 1, 2 * q), Pixel(2 * p + 1, 2 * q + 1)));
            Assert.That(BitConverter.SingleToInt32Bits(maxima[i]), Is.EqualTo(BitConverter.SingleToInt32Bits(expected)), $"image {image}, window ({p}, {q}), channel {o}");
        }
    }
}
