namespace IlgpuNetVlad.Kernels;

/// <summary>Runs a variant on a device in question and the first variant of another on the same numbers. It is quicker where comparisons of one problem follow each other.</summary>
/// <param name="host">The one to believe.</param>
public sealed class DeviceComparison(Device device, Device host)
{
    private const int Seed = 7;

    private (Operation Operation, object Problem, float[][] Inputs, float[][] Results)? last;

    public DeviceCheckRow Row(DeviceCheckCase one)
    {
        var (operation, variant, problem) = one;
        var (inputs, expected) = Expected(operation, problem);
        float[][] actual;
        try
        {
            actual = Results(operation, variant, device, problem, inputs);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A driver that refuses a kernel is a finding, not the end of the check.
            return one.Failed(e.GetBaseException().Message);
        }
        var specs = operation.BuffersOf(problem);
        double worst = 0;
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].Access != Access.Read)
                worst = Math.Max(worst, specs[i].IsIndex
                    ? actual[i].AsSpan().SequenceCompareTo(expected[i], BitwiseComparer.Instance) == 0 ? 0 : double.PositiveInfinity
                    : DeviceCheck.RelativeError(specs[i].NumbersOf(actual[i]), specs[i].NumbersOf(expected[i])));
        return one.Row(worst);
    }

    private (float[][] Inputs, float[][] Results) Expected(Operation operation, object problem)
    {
        if (last is not { } kept || kept.Operation != operation || !kept.Problem.Equals(problem))
        {
            var inputs = operation.InputsFor(problem, Seed);
            var believed = operation.AllVariants.First(v => operation.RefusalOf(v, host, problem) is null);
            last = kept = (operation, problem, inputs, Results(operation, believed, host, problem, inputs));
        }
        return (kept.Inputs, kept.Results);
    }

    private static float[][] Results(Operation operation, Variant variant, Device device, object problem, float[][] inputs)
    {
        var buffers = inputs.Select(values => device.Allocate(values)).ToArray();
        try
        {
            using var workspace = device.Allocate(operation.WorkspaceOf(variant, device, problem));
            operation.RunWith(variant, device, problem, [.. buffers.Select(b => b.View)], workspace.View);
            return [.. buffers.Select(b => device.Download(b.View))];
        }
        finally
        {
            foreach (var buffer in buffers)
                buffer.Dispose();
        }
    }

    private sealed class BitwiseComparer : IComparer<float>
    {
        public static readonly BitwiseComparer Instance = new();

        public int Compare(float x, float y) => BitConverter.SingleToInt32Bits(x).CompareTo(BitConverter.SingleToInt32Bits(y));
    }
}
