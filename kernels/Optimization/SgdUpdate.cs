using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape and settings of one SGD update.</summary>
/// <param name="Length">Numbers of the parameter.</param>
public readonly record struct SgdShape(int Length, float LearningRate, float Momentum, float WeightDecay);

/// <summary>
/// Stochastic gradient descent with momentum and weight decay (PyTorch's form; netvlad's m ← 0.9m − wd·w − g, w ← w + lr·m is the same
/// with v = −m):
/// <code>
/// v ← momentum·v + scale·g + wd·p
/// p ← p − lr·v                       p, g, v [Length], scale [1]
/// </code>
/// The scale stands on the device (<see cref="UpdateScale"/>): the host need not know the loss to enqueue an update. Where it is not above 0, or NaN, p and v stay as they are. 6 FLOPs and 20 bytes a number: memory bound everywhere.
/// </summary>
public static partial class SgdUpdate
{
    public static readonly Operation<SgdShape> Operation = new()
    {
        Name = "sgd.update",
        Contract = "v = momentum·v + scale·g + wd·p; p -= lr·v; nothing where not scale > 0   p, g, v [Length], scale [1]",
        Check = s => s.Length < 0 ? "Length must not be negative" : null,
        Buffers = s => [new("p", s.Length, Access.ReadWrite), new("g", s.Length, Access.Read), new("v", s.Length, Access.ReadWrite), new("scale", 1, Access.Read)],
        Flops = s => 6.0 * s.Length,
        // Three roundings of values of the size of the result.
        Tolerance = _ => 4e-7,
        Variants =
        [
            new("host", VariantKind.Host, RunHost),
            new("simt", VariantKind.Simt, RunSimt, kernels: Simt.Update),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples =
        [
            new(0, 0.01f, 0.9f, 0.001f), new(1, 0.01f, 0.9f, 0.001f), new(17, 0.1f, 0.9f, 0.001f),
            new(255, 0.01f, 0f, 0f), new(4099, 0.01f, 0.9f, 0.001f),
        ],
        Fill = FillExample,
    };

    /// <inheritdoc cref="SgdUpdate"/>
    public static void Run(Device device, in SgdShape shape, ArrayView<float> parameter, ArrayView<float> gradient, ArrayView<float> velocity, ArrayView<float> scale)
        => Operation.Run(device, shape, [parameter, gradient, velocity, scale], default);

    /// <summary>Scales of updates that were made; one example is of none.</summary>
    private static bool FillExample(SgdShape s, string buffer, Random random, float[] values)
    {
        if (buffer != "scale")
            return false;
        values[0] = s.Length == 17 ? 0 : 1f / (1 + random.Next(8));
        return true;
    }
}
