using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>Groups of few channels have a task and register tiles of their own, and give bit for bit what each group gives alone.</summary>
[TestFixture]
public sealed class NarrowGroups
{
    private const string Direct = "host-6x4v";

    /// <param name="inEach">Channels of a group.</param>
    /// <param name="width">12 columns of the result are a register tile; more than 576 are cut into strips.</param>
    [TestCase(32, 8, 8, 13, 29, 3, 1)]
    [TestCase(3, 8, 8, 9, 12, 3, 1, Description = "one tile a row, and a group without a neighbour in its cache line")]
    [TestCase(5, 4, 4, 7, 31, 3, 1)]
    [TestCase(4, 8, 5, 15, 40, 3, 2, Description = "a stride, and columns that fill no vector")]
    [TestCase(3, 16, 8, 15, 40, 3, 2)]
    [TestCase(2, 4, 1, 8, 25, 5, 1)]
    [TestCase(4, 8, 8, 2, 13, 1, 1)]
    [TestCase(2, 8, 8, 3, 601, 3, 1)]
    [TestCase(2, 8, 8, 40, 40, 3, 1, Description = "several strips a map")]
    [TestCase(3, 8, 8, 9, 11, 3, 1, Description = "too narrow for a tile")]
    [TestCase(2, 8, 8, 20, 20, 7, 1, Description = "too many weights for it")]
    [TestCase(24, 1, 1, 9, 20, 3, 1, Description = "channel by channel")]
    [TestCase(24, 1, 1, 9, 40, 3, 2, Description = "the same with a stride: rows of A so near that no tile takes them")]
    public void GiveWhatEachGivesAlone(int groups, int inEach, int outEach, int height, int width, int window, int stride)
    {
        var shape = new ConvolutionShape(3, height, width, groups * inEach, groups * outEach, window, window, stride, window / 2, groups, Relu: 1);
        var one = shape with { Ic = inEach, Oc = outEach, Groups = 1 };
        var inputs = Convolution.ForwardOperation.InputsFor(shape, seed: 3);
        float[] y = Run(Convolution.ForwardOperation, shape, inputs)[3];
        for (int group = 0; group < groups; group++)
        {
            float[] alone = Run(Convolution.ForwardOperation, one,
                [Channels(inputs[0], shape.Ic, group, inEach), Channels(inputs[1], shape.Oc, group, outEach), Channels(inputs[2], shape.Oc, group, outEach), []])[3];
            Agree(Channels(y, shape.Oc, group, outEach), alone, group);
        }

        // The second of three images' gradient is zero, as where its triplets violate no margin.
        var backward = Convolution.BackwardDataOperation.InputsFor(shape, seed: 4);
        backward[2].AsSpan(backward[2].Length / 3, backward[2].Length / 3).Clear();
        float[] dx = Run(Convolution.BackwardDataOperation, shape, backward)[3];
        for (int group = 0; group < groups; group++)
        {
            float[] alone = Run(Convolution.BackwardDataOperation, one,
                [Channels(backward[0], shape.Oc, group, outEach), Channels(backward[1], shape.Oc, group, outEach), Channels(backward[2], shape.Oc, group, outEach), []])[3];
            Agree(Channels(dx, shape.Ic, group, inEach), alone, group);
        }
    }

    /// <summary>Of rows of so many numbers those of one group.</summary>
    private static float[] Channels(float[] rows, int length, int group, int each) => [.. rows.Chunk(length).SelectMany(row => row[(group * each)..((group + 1) * each)])];

    private static void Agree(float[] ofAll, float[] alone, int group)
    {
        Assert.That(ofAll, Has.Length.GreaterThan(0));
        Assert.That(ofAll.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(alone.Select(BitConverter.SingleToInt32Bits)).AsCollection, $"group {group}");
    }

    private static float[][] Run<TProblem>(Operation<TProblem> operation, TProblem problem, float[][] inputs)
        where TProblem : struct
        => VariantsAgree.Run(operation, operation.Variants.Single(v => v.Name == Direct), Devices.Cpu, problem, inputs);
}
