using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>Compares every kernel with the processor's, those that no process before has compared: one process of <see cref="WatchedPart"/>.</summary>
internal static class ComparePart
{
    /// <returns>The code with which the process is to end.</returns>
    public static int Run(GpuOptions options)
    {
        var progress = new GpuProgress(options.CheckFile);
        progress.Read();
        using var host = Device.Cpu();
        using var device = options.Open();
        var cases = DeviceCheck.Cases(device).Where(c => options.Wants(c.Operation)).ToList();
        progress.Add(new(Device: device.Description, Cases: cases.Count));
        var done = progress.Ended.Select(l => l.What).ToHashSet();
        var left = cases.Where(c => !done.Contains(Line(c, "").What)).ToList();
        if (done.Count == 0)
            Console.WriteLine($"Device: {device.Description}; checking every kernel against {host.Description}");
        Compile(device, left);
        var failed = new Dictionary<(string, string), string>();
        foreach (var row in progress.Ended.Select(l => l.Check!).Where(r => r.Message is not null))
            failed.TryAdd((row.Operation, row.Variant), row.Problem);
        var comparison = new DeviceComparison(device, host);
        foreach (var one in left)
        {
            // Each fault costs a process and each wait its limit.
            if (failed.TryGetValue((one.Operation.Name, one.Variant.Name), out string? problem))
            {
                progress.Add(Line(one, $"not tried, for it failed with {problem}"));
                continue;
            }
            progress.Begin(Line(one, ""));
            var row = comparison.Row(one);
            progress.End(new(Check: row));
            if (row.Message is null)
                continue;
            failed[(row.Operation, row.Variant)] = row.Problem;
            if (device.IsLost)
                return WatchedPart.Again;
        }
        return 0;
    }

    private static GpuLine Line(DeviceCheckCase one, string message) => new(Check: one.Failed(message));

    private static void Compile(Device device, List<DeviceCheckCase> cases)
    {
        try
        {
            device.Compile(cases.SelectMany(c => c.Variant.Kernels).Distinct());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The comparison finds which.
            Console.WriteLine($"Not every kernel compiles: {e.GetBaseException().Message}");
        }
    }
}
