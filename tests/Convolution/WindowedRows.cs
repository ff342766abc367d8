using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>A first layer that is pooled at once gives bit for bit the maxima of what the layer gives, also where an image has many more rows than are copied together.</summary>
[TestFixture]
public sealed class WindowedRows
{
    [TestCase(24, 5, 2, 2, 2)] // the city's
    [TestCase(64, 3, 2, 3, 2)] // SqueezeNet's
    [TestCase(20, 11, 4, 3, 2)]
    [TestCase(70, 1, 1, 3, 1)]  // the image itself, without a copy
    public void AreTheMaximaOfWhatForwardGives(int channels, int filter, int stride, int window, int step)
    {
        // So many images that each is one task.
        var shape = new ConvolutionShape(17, 75, 33, 3, channels, filter, filter, stride, filter / 2, Relu: 1);
        var windowed = new WindowedConvolutionShape(shape, window, step);
        float[][] inputs = Convolution.ForwardWindowedOperation.InputsFor(windowed, seed: 8);
        float[] maxima = Run(Convolution.ForwardWindowedOperation, windowed, inputs), all = Run(Convolution.ForwardOperation, shape, inputs);
        var pooling = windowed.Pooling;
        Assert.That(maxima, Has.Length.EqualTo(pooling.YLength));
        float[] expected = new float[maxima.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            int c = i % channels, q = i / channels % pooling.Q, p = i / channels / pooling.Q % pooling.P, image = i / channels / pooling.Q / pooling.P;
            float most = float.NegativeInfinity;
            for (int row = p * step; row < Math.Min(p * step + window, shape.P); row++)
                for (int column = q * step; column < Math.Min(q * step + window, shape.Q); column++)
                    most = Math.Max(most, all[((image * shape.P + row) * shape.Q + column) * channels + c]);
            expected[i] = most;
        }
        Assert.That(maxima.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected.Select(BitConverter.SingleToInt32Bits)));
    }

    private static float[] Run<TProblem>(Operation<TProblem> operation, TProblem problem, float[][] inputs)
        where TProblem : struct
    {
        var variant = operation.AllVariants.Single(v => v.Name == "host-6x4v");
        return VariantsAgree.Run(operation, variant, Devices.Cpu, problem, [.. inputs[..3], []])[3];
    }
}
