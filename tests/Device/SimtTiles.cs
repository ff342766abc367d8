using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>The tiles of the fp32 products on CUDA: which one runs is a matter of speed alone.</summary>
[TestFixture]
public sealed class SimtTiles
{
    private const string Large = "simt-128x", Small = "simt-32x32x16";

    /// <summary>A row, a column and some k beyond a tile. Gradients by weights have the same bits where both cut the pixels into as many slices, here one.</summary>
    public static IEnumerable<TestCaseData> Products()
    {
        yield return Case(Gemm.Operation, new GemmShape(129, 131, 13));
        yield return Case(Gemm.Operation, new GemmShape(129, 129, 9, 1));
        yield return Case(Gemm.Operation, new GemmShape(132, 129, 16, 0, 1));
        yield return Case(Gemm.Operation, new GemmShape(1, 132, 7, 1, 1));
        yield return Case(Gram.Operation, new GramShape(129, 11));
        yield return Case(Convolution.ForwardOperation, new ConvolutionShape(1, 11, 12, 3, 129, 3, 3, 1, 1, Relu: 1, Beside: 3));
        yield return Case(Convolution.ForwardOperation, new ConvolutionShape(2, 9, 15, 12, 132, 2, 3, 2, 1, HasBias: 0));
        yield return Case(Convolution.ForwardPooledOperation, new ConvolutionShape(2, 10, 15, 4, 68, 3, 3, 1, 1, Relu: 1));
        yield return Case(Convolution.BackwardDataOperation, new ConvolutionShape(1, 11, 12, 129, 5, 3, 2, 1, 1, Relu: 1));
        yield return Case(Convolution.BackwardDataOperation, new ConvolutionShape(2, 9, 8, 132, 12, 3, 3, 2, 1));
        yield return Case(Convolution.BackwardWeightsOperation, new ConvolutionShape(2, 7, 6, 15, 129, 3, 3, 1, 1, Relu: 1));
        yield return Case(Convolution.BackwardWeightsOperation, new ConvolutionShape(2, 7, 6, 16, 132, 3, 3, 2, 1, Relu: 1, Beside: 4));
    }

    /// <summary>Both sum over k in order with one multiply-add each, so what an image gets does not depend on how many others choose the tile.</summary>
    [TestCaseSource(nameof(Products))]
    public void LargeTile_HasTheBitsOfTheSmall(Operation operation, object problem)
    {
        var inputs = operation.InputsFor(problem, seed: 5);
        float[][] small = Run(operation.AllVariants.Single(v => v.Name == Small));
        foreach (var variant in operation.AllVariants.Where(v => v.Name.StartsWith(Large, StringComparison.Ordinal)))
        {
            float[][] large = Run(variant);
            foreach (var (spec, i) in operation.BuffersOf(problem).Select((s, i) => (s, i)).Where(b => b.s.Access != Access.Read))
                VariantsAgree.AssertSameBits(large[i], small[i], $"{variant.Name}, {spec.Name}");
        }

        float[][] Run(Variant variant) => VariantsAgree.Run(operation, variant, Devices.Emitted, problem, inputs);
    }

    public static IEnumerable<TestCaseData> LargeKernels()
        => KernelTable.CudaKernels.Where(k => k.Name.Contains(Large, StringComparison.Ordinal)).Select(k => new TestCaseData(k).SetArgDisplayNames(k.Name));

    /// <summary>Where a number stands in shared memory is for speed alone, so no result shows it: the banks do.</summary>
    [TestCaseSource(nameof(LargeKernels))]
    public void LargeTile_MeetsInNoBank(SimtKernel kernel)
    {
        var total = ProfiledRun.Of(kernel, example: null).Profile.Total;
        Assert.That(total.SharedLeastPasses, Is.Positive);
        Assert.That(total.SharedPasses, Is.EqualTo(total.SharedLeastPasses));
    }

    private static TestCaseData Case(Operation operation, object problem) => new TestCaseData(operation, problem).SetArgDisplayNames(operation.Name, problem.ToString()!);
}
