using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>The errors that <see cref="Winograd"/> states, against fp64 sums.</summary>
[TestFixture]
public sealed class WinogradAccuracy
{
    [TestCase("host-winograd", 3, 64, 9e-7, 6e-7)]
    [TestCase("host-winograd", 3, 128, 1.3e-6, 6e-7)]
    [TestCase("host-winograd", 3, 256, 1.7e-6, 6e-7)]
    [TestCase("host-winograd", 3, 512, 2.3e-6, 6e-7)]
    [TestCase("host-winograd-5x5", 5, 64, 1e-6, 1.2e-6)]
    [TestCase("host-winograd-5x5", 5, 256, 1.9e-6, 1.2e-6)]
    public void ErrorsAreAsStated(string variant, int taps, int channels, double data, double weights)
    {
        var shape = new ConvolutionShape(2, 12, 16, channels, 64, taps, taps, 1, taps / 2);
        var turned = shape with { Ic = 64, Oc = channels };
        Assert.Multiple(() =>
        {
            Check(Convolution.ForwardOperation, variant, shape, data);
            Check(Convolution.BackwardDataOperation, variant, turned, data);
            Check(Convolution.BackwardWeightsOperation, variant, shape, weights);
        });
    }

    /// <summary>More tiles than a block holds: sums are taken up again, in groups of channels where those fill panels and in rows where not. A chain of 702 tiles instead of 24 may round √(702 / 24) times as much.</summary>
    [TestCase(16, 128)]
    [TestCase(20, 70)]
    public void GradientByWeights_OfSeveralBlocks_GoesOnWithTheSums(int channels, int outChannels)
        => Check(Convolution.BackwardWeightsOperation, "host-winograd", new ConvolutionShape(1, 101, 105, channels, outChannels, 3, 3, 1, 1, Relu: 1), 2.8e-6);

    private static void Check(Operation<ConvolutionShape> operation, string variant, ConvolutionShape shape, double bound)
    {
        var inputs = operation.InputsFor(shape, seed: 5);
        var (expected, actual) = (Run(operation, operation.Variants[^1], shape, inputs), Run(operation, operation.Variants.Single(v => v.Name == variant), shape, inputs));
        double error = DeviceCheck.RelativeError(actual, expected);
        TestContext.Out.WriteLine($"{operation.Name} {shape}: {error:0.0e+0}");
        Assert.That(error, Is.LessThanOrEqualTo(bound).And.GreaterThan(bound / 4), operation.Name);
    }

    /// <summary>The first buffer that is written: y, dx or dw.</summary>
    private static float[] Run(Operation<ConvolutionShape> operation, Variant<ConvolutionShape> variant, ConvolutionShape shape, float[][] inputs)
    {
        var device = Devices.Cpu;
        var buffers = inputs.Select(values => device.Allocate(values)).ToArray();
        using var workspace = device.Allocate(variant.Workspace(device, shape));
        operation.Run(variant, device, shape, [.. buffers.Select(b => b.View)], workspace.View);
        var result = device.Download(buffers[Array.FindIndex(operation.Buffers(shape), b => b.Access == Access.Write)].View);
        foreach (var buffer in buffers)
            buffer.Dispose();
        return result;
    }
}
