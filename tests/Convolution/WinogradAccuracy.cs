using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>The errors that <see cref="Winograd"/> states, against fp64 sums.</summary>
[TestFixture, Parallelizable]
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

    /// <summary>Maps of two rows or one are half tiles alone; of 13 and 14 a quarter of them, and with no padding or two pixels those read other rows beside the map.</summary>
    [TestCase(2, 48, 1, 256, 1.7e-6)]
    [TestCase(1, 48, 2, 128, 1.3e-6)]
    [TestCase(14, 16, 1, 128, 1.3e-6)]
    [TestCase(13, 17, 1, 128, 1.3e-6)]
    [TestCase(16, 18, 0, 128, 1.3e-6)]
    [TestCase(12, 18, 2, 128, 1.3e-6)]
    public void HalfTiles_ErrNoMore(int height, int width, int padding, int channels, double data)
    {
        var shape = new ConvolutionShape(6, height, width, channels, 128, 3, 3, 1, padding);
        var turned = shape with { Ic = 128, Oc = channels };
        Assert.That(WinogradFilter<WinogradFilter3>.EndsInHalf(shape.P, channels, 128) || WinogradFilter<WinogradFilter3>.EndsInHalf(shape.H, 128, channels), Is.True);
        Assert.Multiple(() =>
        {
            Check(Convolution.ForwardOperation, "host-winograd", shape, data);
            Check(Convolution.BackwardDataOperation, "host-winograd", turned, data);
            // A chain of that many tiles instead of 24.
            double tiles = shape.B * WinogradFilter<WinogradFilter3>.Tiles(shape.P) * WinogradFilter<WinogradFilter3>.Tiles(shape.Q);
            Check(Convolution.BackwardWeightsOperation, "host-winograd", shape, 6e-7 * Math.Sqrt(tiles / 24));
        });
    }

    /// <summary>More tiles than a block holds: sums are taken up again, in groups of channels where those fill panels and in rows where not. A chain of 702 or 780 tiles instead of 24 may round √(702 / 24) times as much.</summary>
    [TestCase(16, 128, 1, 101)]
    [TestCase(20, 70, 1, 101)]
    [TestCase(128, 130, 26, 18)] // blocks of whole tiles, of both, and of half ones alone
    public void GradientByWeights_OfSeveralBlocks_GoesOnWithTheSums(int channels, int outChannels, int images, int height)
        => Check(Convolution.BackwardWeightsOperation, "host-winograd", new ConvolutionShape(images, height, height + 4, channels, outChannels, 3, 3, 1, 1, Relu: 1), 2.8e-6);

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
