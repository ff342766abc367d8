namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Runs the table of kernels on a device against the first variant of another: what decides whether <c>--device auto</c> trusts a GPU, and
/// what a published program runs on a machine without an SDK.
/// </summary>
public static class DeviceCheck
{
    /// <param name="device">The device in question; each of its variants is run, Reference aside.</param>
    /// <param name="host">The one to believe.</param>
    /// <param name="advance">Is told how many of <see cref="Count"/> comparisons are done.</param>
    /// <returns>The comparisons, up to the first that loses the device (<see cref="Device.IsLost"/>): behind it nothing would be a finding.</returns>
    public static IReadOnlyList<DeviceCheckRow> Run(Device device, Device host, Action<long>? advance = null, CancellationToken token = default)
    {
        var rows = new List<DeviceCheckRow>();
        var comparison = new DeviceComparison(device, host);
        foreach (var one in Cases(device))
        {
            token.ThrowIfCancellationRequested();
            rows.Add(comparison.Row(one));
            advance?.Invoke(rows.Count);
            if (rows[^1].Message is not null && device.IsLost)
                break;
        }
        return rows;
    }

    /// <summary>Comparisons that <see cref="Run"/> makes.</summary>
    public static int Count(Device device) => KernelTable.All.Sum(operation => operation.AllExamples.Sum(problem => VariantsOn(device, operation, problem).Count()));

    /// <summary>The comparisons in their order: what is most likely to run comes first, so that the first fault takes least with it.</summary>
    public static IReadOnlyList<DeviceCheckCase> Cases(Device device)
        => [.. (from operation in KernelTable.All
                from problem in operation.AllExamples
                from variant in VariantsOn(device, operation, problem)
                select new DeviceCheckCase(operation, variant, problem)).OrderBy(one => Daring(one.Variant))];

    /// <summary>How much of it no chip has run yet: plain kernels, tensor cores, wgmma, wgmma with copies by tensor maps.</summary>
    internal static int Daring(Variant variant) => variant.Kind switch
    {
        VariantKind.Wgmma => variant.CopiesTensors ? 3 : 2,
        VariantKind.TensorCore => 1,
        _ => 0,
    };

    private static IEnumerable<Variant> VariantsOn(Device device, Operation operation, object problem)
        => operation.AllVariants.Where(v => v.Kind != VariantKind.Reference && operation.RefusalOf(v, device, problem) is null);

    /// <summary>The kernels that the check launches on a device.</summary>
    public static IEnumerable<SimtKernel> KernelsOn(Device device)
        => (from operation in KernelTable.All
            from variant in operation.AllVariants
            where operation.AllExamples.Any(problem => operation.RefusalOf(variant, device, problem) is null)
            from kernel in variant.Kernels
            select kernel).Distinct();

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
}
