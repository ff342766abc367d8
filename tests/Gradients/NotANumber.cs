using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.Gradients;

/// <summary>A NaN must come out where it went in: ReLU and maxima that swallow it would hide a diverged run.</summary>
[TestFixture]
public sealed class NotANumber
{
    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (var operation in KernelTable.All)
            foreach (var variant in operation.AllVariants)
                if (Problem(operation, variant) is { } problem)
                    yield return new TestCaseData(operation, variant, problem).SetName($"{operation.Name}_{variant.Name}_PassesNaNOn");
    }

    /// <summary>The operations that carry values forward, each with a problem of two images or more.</summary>
    private static object? Problem(Operation operation, Variant variant) => operation.Name switch
    {
        "convolution.forward" when variant.Name == "host-winograd-5x5" => new ConvolutionShape(2, 8, 64, 16, 20, 5, 5, 1, 2, 1, 1),
        "convolution.forward" => new ConvolutionShape(2, 8, 64, 16, 20, 3, 3, 1, 1, 1, 1),
        "max-pooling.forward" => new PoolingShape(1, 4, 4, 20, 2, 2),
        "global-max.forward" or "global-average.forward" => new GlobalPoolingShape(2, 6, 20),
        "l2-normalization.forward" => new RowsShape(2, 20),
        "local-response.forward" => new LocalResponseShape(3, 20, 5, 0.1f, 0.75f, 1),
        "netvlad.forward" => new NetVladShape(2, 5, 20, 6),
        "gemm" => new GemmShape(7, 20, 9),
        _ => null,
    };

    [TestCaseSource(nameof(Cases))]
    public void Operation_PassesNaNOn(Operation operation, Variant variant, object problem)
    {
        var device = variant.Kind is VariantKind.Host or VariantKind.Reference ? Devices.Cpu : Devices.Simulating(variant);
        var inputs = operation.InputsFor(problem, seed: 3);
        inputs[0][0] = float.NaN;
        var outputs = VariantsAgree.Run(operation, variant, device, problem, inputs);
        Assert.That(float.IsNaN(outputs[^1][0]), "the first output depends on the first input");
        if (problem is ConvolutionShape)
            Assert.That(outputs[^1].Skip(8 * 20).Take(20), Has.All.Matches<float>(float.IsFinite), "a pixel eight columns away does not, tile or no tile");
    }
}
