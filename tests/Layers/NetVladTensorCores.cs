using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.Layers;

/// <summary>As many local descriptors as are cut into slices, more than simulated warps could take: their emitted PTX.</summary>
[TestFixture]
public sealed class NetVladTensorCores
{
    private static readonly NetVladShape Two = new(2, 514, 12, 3, 1);

    [Test]
    public void SlicesOfDescriptors_AreAddedUp([Values] bool forward)
    {
        Operation operation = forward ? NetVlad.ForwardOperation : NetVlad.BackwardOperation;
        var inputs = operation.InputsFor(Two, seed: 2);
        foreach (float[] input in inputs)
            Rounding.To(Precision.Tf32, input);
        var expected = VariantsAgree.Run(operation, operation.AllVariants[^1], Devices.Cpu, Two, inputs);
        var actual = VariantsAgree.Run(operation, TensorCores(operation), Devices.Emitted, Two, inputs);
        foreach (var (spec, i) in operation.BuffersOf(Two).Select((s, i) => (s, i)).Where(b => b.s.Access == Access.Write))
            Assert.That(DeviceCheck.RelativeError(actual[i], expected[i]), Is.LessThanOrEqualTo(operation.ToleranceOf(operation.AllVariants[^1], Two)), spec.Name);
    }

    [Test]
    public void AnImage_HasTheSameBits_AloneAndInItsBatch()
    {
        var operation = NetVlad.ForwardOperation;
        var inputs = operation.InputsFor(Two, seed: 2);
        float[] both = VariantsAgree.Run(operation, TensorCores(operation), Devices.Emitted, Two, inputs)[^1];
        inputs[0] = inputs[0][(inputs[0].Length / 2)..];
        float[] alone = VariantsAgree.Run(operation, TensorCores(operation), Devices.Emitted, Two with { B = 1 }, inputs)[^1];
        Assert.That(alone.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(both[(both.Length / 2)..].Select(BitConverter.SingleToInt32Bits)));
    }

    private static Variant TensorCores(Operation operation) => operation.AllVariants.First(v => v.Kind == VariantKind.TensorCore);
}
