using System.Diagnostics;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// Launches every CUDA kernel that the device takes once, for NVIDIA's tools: each variant on the example of its operation that has most work, plain ones first. Where the run book's check has left what it
/// found, those that faulted come last, for their fault ends the process, and those that never end do not come.
/// </summary>
internal static class LaunchPart
{
    /// <summary>Ends by itself within the time, so that the tool around it can write its table.</summary>
    public static void Run(GpuOptions options)
    {
        long begin = Stopwatch.GetTimestamp();
        var check = new GpuProgress(options.CheckFile);
        check.Read();
        var failures = check.Ended.Select(l => l.Check!).Where(c => c.Message is not null).ToLookup(c => (c.Operation, c.Variant), c => c.Message!);
        // A device that takes bf16 takes all that is less exact too.
        using var device = options.Open(options.Cuda ? Precision.Bf16 : Precision.Fp32);
        var launches =
            from operation in KernelTable.All
            where options.Wants(operation)
            from variant in operation.AllVariants
            where variant.Kernels.Count > 0
            let said = failures[(operation.Name, variant.Name)]
            where !said.Any(m => m.StartsWith(WatchedPart.Overran, StringComparison.Ordinal))
            let problem = operation.AllExamples.Where(p => operation.RefusalOf(variant, device, p) is null).MaxBy(operation.FlopsOf)
            where problem is not null
            orderby said.Any(), DeviceCheck.Daring(variant)
            select (operation, variant, problem);
        foreach (var (operation, variant, problem) in launches)
        {
            if (Stopwatch.GetElapsedTime(begin).TotalSeconds > options.Seconds)
            {
                Console.WriteLine("No time is left for the kernels behind these.");
                return;
            }
            Console.WriteLine($"{operation.Name} {variant.Name} {problem}");
            try
            {
                EmittedRun.Of(operation, variant, device, problem);
                device.Synchronize();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Console.WriteLine($"It fails: {e.GetBaseException().Message}");
                if (device.IsLost)
                    return;
            }
        }
    }
}
