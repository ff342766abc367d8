using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>
/// What a channel gives is one sum in one order, whatever channels stand beside it: 17 to 24 of them that are left behind whole panels have register tiles of their own with AVX-512, and give bit
/// for bit what they give as the first of more.
/// </summary>
[TestFixture]
public sealed class ChannelsOfAPanel
{
    /// <param name="channels">Whose neighbours up to the next multiple of 32 are left out.</param>
    /// <param name="inChannels">5·5·48 numbers a sum are two chunks, which sums wait between.</param>
    [TestCase(24, 3)]
    [TestCase(24, 48)]
    [TestCase(17, 3)]
    [TestCase(20, 48)]
    [TestCase(88, 3)]
    [TestCase(86, 48)]
    public void AreWhatTheyAreAmongMore(int channels, int inChannels)
    {
        var shape = new ConvolutionShape(2, 23, 21, inChannels, channels, 5, 5, 2, 2, Relu: 1);
        var more = shape with { Oc = (channels + 31) / 32 * 32 };
        var forward = Convolution.ForwardOperation.InputsFor(more, seed: 3);
        Agree(Run(Convolution.ForwardOperation, shape, [forward[0], First(forward[1], more.Oc, channels), forward[2][..channels], []])[3], Run(Convolution.ForwardOperation, more, forward)[3], more.Oc, channels);

        if (inChannels == 3)
            Agree(Run(Convolution.ForwardWindowedOperation, new(shape, 3, 2), [forward[0], First(forward[1], more.Oc, channels), forward[2][..channels], []])[3],
                Run(Convolution.ForwardWindowedOperation, new(more, 3, 2), [.. forward[..3], []])[3], more.Oc, channels);

        var backward = Convolution.BackwardWeightsOperation.InputsFor(more, seed: 4);
        float[][] gradients = Run(Convolution.BackwardWeightsOperation, shape, [backward[0], First(backward[1], more.Oc, channels), First(backward[2], more.Oc, channels), [], []]);
        float[][] among = Run(Convolution.BackwardWeightsOperation, more, backward);
        Agree(gradients[3], among[3], more.Oc, channels);
        Agree(gradients[4], among[4], more.Oc, channels);
    }

    /// <summary>Maps whose end cuts tiles, and its last row in half tiles.</summary>
    [TestCase(24, 24)]
    [TestCase(17, 16)]
    [TestCase(88, 40)]
    [TestCase(152, 128)]
    public void ByWinograd_AreWhatTheyAreAmongMore(int channels, int inChannels)
    {
        var shape = new ConvolutionShape(2, 14, 23, inChannels, channels, 3, 3, 1, 1, Relu: 1);
        var more = shape with { Oc = (channels + 31) / 32 * 32 };
        var forward = Convolution.ForwardOperation.InputsFor(more, seed: 5);
        foreach (var operation in new[] { Convolution.ForwardOperation, Convolution.ForwardPooledOperation })
            Agree(Run(operation, shape, [forward[0], First(forward[1], more.Oc, channels), forward[2][..channels], []], Winograd)[3], Run(operation, more, [.. forward[..3], []], Winograd)[3], more.Oc, channels);

        // On the way back the channels are those of x.
        var turned = shape with { Ic = channels, Oc = inChannels };
        more = turned with { Ic = (channels + 31) / 32 * 32 };
        var backward = Convolution.BackwardDataOperation.InputsFor(more, seed: 6);
        float[] weights = [.. backward[0].Chunk(more.Ic * inChannels).SelectMany(tap => tap[..(channels * inChannels)])];
        Agree(Run(Convolution.BackwardDataOperation, turned, [weights, .. backward[1..3], []], Winograd)[3], Run(Convolution.BackwardDataOperation, more, backward, Winograd)[3], more.Ic, channels);
    }

    private const string Direct = "host-6x4v", Winograd = "host-winograd";

    /// <summary>Of rows of so many numbers the first ones.</summary>
    private static float[] First(float[] rows, int length, int count) => [.. rows.Chunk(length).SelectMany(row => row[..count])];

    private static void Agree(float[] few, float[] many, int length, int count)
    {
        Assert.That(few, Has.Length.EqualTo(many.Length / length * count).And.Length.GreaterThan(0));
        Assert.That(few.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(First(many, length, count).Select(BitConverter.SingleToInt32Bits)));
    }

    /// <summary>The operation's buffers after the host's variant has run on them.</summary>
    private static float[][] Run<TProblem>(Operation<TProblem> operation, TProblem problem, float[][] inputs, string name = Direct)
        where TProblem : struct
    {
        var variant = operation.Choose(Devices.Cpu, problem);
        Assert.That(variant.Name, Is.EqualTo(name));
        return VariantsAgree.Run(operation, variant, Devices.Cpu, problem, inputs);
    }
}
