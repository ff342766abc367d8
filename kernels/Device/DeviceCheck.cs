using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>One comparison of <see cref="DeviceCheck"/>.</summary>
/// <param name="Error">Largest ‖a − b‖₂/‖b‖₂ of the written buffers; infinite where an index or NaN differs, or where the kernel failed.</param>
public sealed record DeviceCheckRow(string Operation, string Variant, string Problem, double Error, double Tolerance)
{
    public bool Ok => Error <= Tolerance;
}

/// <summary>
/// Runs the table of kernels on a device against the first variant of another: what decides whether <c>--device auto</c> trusts a GPU, and
/// what a published program runs on a machine without an SDK.
/// </summary>
public static class DeviceCheck
{
    /// <param name="device">The device in question; each of its variants is run, Reference aside.</param>
    /// <param name="host">The one to believe.</param>
    /// <param name="advance">Is told how many of <see cref="Count"/> comparisons are done.</param>
    public static IReadOnlyList<DeviceCheckRow> Run(Device device, Device host, Action<long>? advance = null, CancellationToken token = default)
    {
        var rows = new List<DeviceCheckRow>();
        foreach (var operation in KernelTable.All)
            foreach (var problem in operation.AllExamples)
            {
                var inputs = operation.InputsFor(problem, seed: 7);
                float[][]? expected = null;
                foreach (var variant in VariantsOn(device, operation, problem))
                {
                    token.ThrowIfCancellationRequested();
                    expected ??= Results(operation, operation.AllVariants.First(v => operation.RefusalOf(v, host, problem) is null), host, problem, inputs);
                    // Host and the device each have the tolerance against fp64.
                    rows.Add(new(operation.Name, variant.Name, problem.ToString()!, Error(operation, variant, device, problem, inputs, expected), 2 * operation.ToleranceOf(variant, problem)));
                    advance?.Invoke(rows.Count);
                }
            }
        return rows;
    }

    /// <summary>Comparisons that <see cref="Run"/> makes.</summary>
    public static int Count(Device device) => KernelTable.All.Sum(operation => operation.AllExamples.Sum(problem => VariantsOn(device, operation, problem).Count()));

    private static IEnumerable<Variant> VariantsOn(Device device, Operation operation, object problem)
        => operation.AllVariants.Where(v => v.Kind != VariantKind.Reference && operation.RefusalOf(v, device, problem) is null);

    /// <summary>The kernels that the check launches on a device.</summary>
    public static IEnumerable<SimtKernel> KernelsOn(Device device)
        => (from operation in KernelTable.All
            from variant in operation.AllVariants
            where operation.AllExamples.Any(problem => operation.RefusalOf(variant, device, problem) is null)
            from kernel in variant.Kernels
            select kernel).Distinct();

    private static double Error(Operation operation, Variant variant, Device device, object problem, float[][] inputs, float[][] expected)
    {
        float[][] actual;
        try
        {
            actual = Results(operation, variant, device, problem, inputs);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A driver that refuses a kernel is a finding, not the end of the check.
            return double.PositiveInfinity;
        }
        var specs = operation.BuffersOf(problem);
        double worst = 0;
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].Access != Access.Read)
                worst = Math.Max(worst, specs[i].IsIndex
                    ? actual[i].AsSpan().SequenceCompareTo(expected[i], BitwiseComparer.Instance) == 0 ? 0 : double.PositiveInfinity
                    : RelativeError(specs[i].NumbersOf(actual[i]), specs[i].NumbersOf(expected[i])));
        return worst;
    }

    /// <summary>‖a − b‖₂ / ‖b‖₂, absolute where b is 0; infinite for NaN.</summary>
    public static double RelativeError(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < b.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }
        double error = norm > 0 ? Math.Sqrt(difference / norm) : Math.Sqrt(difference);
        return double.IsNaN(error) ? double.PositiveInfinity : error;
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
