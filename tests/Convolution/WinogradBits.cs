using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>A tile's outputs follow from its patch alone, bit for bit: neither its neighbours, with which it shares a column pass, nor its place in a block or before pooling touch them.</summary>
[TestFixture]
public sealed class WinogradBits
{
    /// <param name="channels">Multiples of 8 and 16 lie in blocks where AVX2 is the widest.</param>
    [TestCase(20, 70)]
    [TestCase(24, 80)]
    [TestCase(128, 144)] // the last row in half tiles
    public void MovedByATile_OutputsMoveWithIt(int channels, int outChannels)
    {
        // Lines of tiles that begin within a block.
        var shape = new ConvolutionShape(1, 13, 46, channels, outChannels, 3, 3, 1, 1, Relu: 1);
        var inputs = Convolution.ForwardOperation.InputsFor(shape, seed: 6);
        float[] x = inputs[0], moved = new float[x.Length];
        for (int pixel = 0; pixel < shape.H * shape.W; pixel++)
            if (pixel % shape.W >= Tile)
                x.AsSpan((pixel - Tile) * shape.Ic, shape.Ic).CopyTo(moved.AsSpan(pixel * shape.Ic));
        float[] before = Forward(shape, inputs), after = Forward(shape, [moved, .. inputs[1..]]);
        // Tiles whose patch, moved, lies inside; before the first column stand zeros in both.
        int end = (shape.Q / Tile - 1) * Tile;
        for (int p = 0; p < shape.P; p++)
            for (int q = 0; q < end; q++)
                for (int o = 0; o < shape.Oc; o++)
                    Assert.That(Bits(after[(p * shape.Q + q + Tile) * shape.Oc + o]), Is.EqualTo(Bits(before[(p * shape.Q + q) * shape.Oc + o])), $"pixel ({p}, {q}), channel {o}");
    }

    [TestCase(20, 70, 13)]
    [TestCase(24, 80, 13)]
    [TestCase(128, 144, 13)]
    [TestCase(130, 144, 14)]
    public void Pooled_IsTheMaximaOfWhatForwardGives(int channels, int outChannels, int height)
    {
        var shape = new ConvolutionShape(2, height, 47, channels, outChannels, 3, 3, 1, 1, Relu: 1);
        var inputs = Convolution.ForwardOperation.InputsFor(shape, seed: 7);
        float[] all = Forward(shape, inputs), maxima = Run(Convolution.ForwardPooledOperation, shape, [inputs[0], inputs[1], inputs[2], []]);
        int rows = shape.P / 2, columns = shape.Q / 2;
        Assert.That(maxima, Has.Length.EqualTo(shape.B * rows * columns * shape.Oc));
        for (int i = 0; i < maxima.Length; i++)
        {
            int o = i % shape.Oc, q = i / shape.Oc % columns, p = i / shape.Oc / columns % rows, image = i / shape.Oc / columns / rows;
            float Pixel(int line, int column) => all[((image * shape.P + line) * shape.Q + column) * shape.Oc + o];
            float expected = Math.Max(Math.Max(Pixel(2 * p, 2 * q), Pixel(2 * p, 2 * q + 1)), Math.Max(Pixel(2 * p + 1, 2 * q), Pixel(2 * p + 1, 2 * q + 1)));
            Assert.That(Bits(maxima[i]), Is.EqualTo(Bits(expected)), $"image {image}, window ({p}, {q}), channel {o}");
        }
    }

    /// <summary>Maps of four tiles share register tiles of six with their neighbours in the batch, which must not show; how many there are does not choose the variant.</summary>
    [TestCase(6, 8)]
    [TestCase(7, 7)]
    public void SmallMapsOfManyChannels_AreTaken_AndAnImageGivesWhatItGivesAlone(int height, int width)
    {
        var all = new ConvolutionShape(3, height, width, 256, 256, 3, 3, 1, 1, Relu: 1);
        var one = all with { B = 1 };
        foreach (var operation in new[] { Convolution.ForwardOperation, Convolution.BackwardDataOperation })
        {
            Assert.That(operation.Choose(Devices.Cpu, all).Name, Is.EqualTo("host-winograd"));
            Assert.That(operation.Choose(Devices.Cpu, one).Name, Is.EqualTo("host-winograd"));
            Assert.That(operation.Choose(Devices.Cpu, all with { Ic = 255 }).Name, Is.EqualTo("host-6x4v"));
            Assert.That(operation.Choose(Devices.Cpu, all with { W = 4 }).Name, Is.EqualTo("host-6x4v"), "two tiles");
            var inputs = operation.InputsFor(all, seed: 8);
            float[] together = Run(operation, all, inputs);
            for (int image = 0; image < all.B; image++)
            {
                // Weights are the second input forward and the first on the way back.
                var alone = inputs.Select((x, i) => i == (operation == Convolution.ForwardOperation ? 1 : 0) || x.Length % all.B != 0 || x.Length == all.Oc
                    ? x : x[(image * (x.Length / all.B))..((image + 1) * (x.Length / all.B))]).ToArray();
                Assert.That(Run(operation, one, alone), Is.EqualTo(together[(image * one.XLength)..((image + 1) * one.XLength)]).AsCollection, $"{operation}, image {image}");
            }
        }
    }

    /// <summary>With few threads a core keeps the sums of its channels at all points and makes taps of them, with many points and panels are dealt to all: every sum is the same chain.</summary>
    [TestCase(4, 128, 128, 14)] // the last row in half tiles
    [TestCase(4, 140, 192, 12)] // rows of a last task that fill no register tile
    [TestCase(7, 208, 128, 2)]  // half tiles alone
    public void GradientsByWeights_AreTheSame_WhetherOrNotACoreKeepsItsSums(int images, int channels, int outChannels, int height)
    {
        var shape = new ConvolutionShape(images, height, 38, channels, outChannels, 3, 3, 1, 1, Relu: 1);
        var operation = Convolution.BackwardWeightsOperation;
        var inputs = operation.InputsFor(shape, seed: 9);
        using Device few = Device.Cpu(threads: 1), many = Device.Cpu(threads: 19);
        Assert.That((HostWinogradGradient<WinogradFilter3>.KeepsSums(few, shape), HostWinogradGradient<WinogradFilter3>.KeepsSums(many, shape)), Is.EqualTo((true, false)));
        float[][] kept = On(few), dealt = On(many);
        Assert.That(kept[3], Is.EqualTo(dealt[3]).AsCollection, "dw");
        Assert.That(kept[4], Is.EqualTo(dealt[4]).AsCollection, "db");

        // Without an image that lives they are zeros.
        Array.Clear(inputs[2]);
        Assert.That(On(few)[3], Has.All.Zero);

        float[][] On(Device device) => VariantsAgree.Run(operation, operation.AllVariants.Single(v => v.Name == "host-winograd"), device, shape, inputs);
    }

    private const int Tile = 4;

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static float[] Forward(ConvolutionShape shape, float[][] inputs) => Run(Convolution.ForwardOperation, shape, inputs);

    private static float[] Run(Operation operation, ConvolutionShape shape, float[][] buffers)
        => VariantsAgree.Run(operation, operation.AllVariants.Single(v => v.Name == "host-winograd"), Devices.Cpu, shape, buffers)[3];
}
