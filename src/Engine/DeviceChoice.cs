using System.Globalization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine;

/// <summary>The device that a run uses, and in one line why.</summary>
public sealed record DeviceChoice(Device Device, string Reason)
{
    /// <summary>What was compared to choose it; empty where nothing was.</summary>
    public IReadOnlyList<DeviceCheckRow> Checks { get; private init; } = [];

    /// <summary>Opens a device by name.</summary>
    /// <param name="name">auto, cpu, cuda or cuda:N. auto takes CUDA device 0 only if the whole table of kernels agrees there with Host, or did before (<see cref="KeptCheck"/>).</param>
    /// <param name="precision">What a GPU's products take; the processor always takes fp32.</param>
    /// <param name="progress">Is told of the comparison, which takes seconds, and a minute or two where kernels are compiled the first time.</param>
    /// <exception cref="UserErrorException">There is no such device, or it lacks tensor cores for that precision.</exception>
    public static DeviceChoice Open(string name, Precision precision = Precision.Fp32, IProgressSink? progress = null, CancellationToken token = default)
    {
        if (name == "cpu")
            return Cpu("as asked");
        if (name == "auto")
            return Auto(precision, progress, token);
        int index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index)))
            throw new UserErrorException($"There is no device {name}: say auto, cpu, cuda or cuda:N.");
        int count = Device.CudaCount();
        if (index >= count)
            throw new UserErrorException(count == 0
                ? $"There is no CUDA device here, so {name} cannot be used: run with --device cpu, or install an NVIDIA driver."
                : $"There is no {name}: {count} CUDA device{(count == 1 ? "" : "s")} found, counted from 0.");
        var device = Device.Cuda(index, precision);
        if (precision > Precision.Fp32 && !device.HasTensorCores)
        {
            string chip = device.Description;
            device.Dispose();
            throw new UserErrorException($"{chip} has no tensor cores for {precision.ToString().ToLowerInvariant()}, which need compute capability 8.0: run with --precision fp32.");
        }
        return new(device, $"{device.Description}, as asked");
    }

    private static DeviceChoice Auto(Precision precision, IProgressSink? progress, CancellationToken token)
    {
        if (Device.CudaCount() == 0)
            return Cpu("no CUDA device found");
        Device device;
        try
        {
            device = Device.Cuda(0, precision);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Cpu($"the CUDA device does not open: {e.Message.TrimEnd('.')}");
        }
        if (KeptCheck.Find(device) is { } kept)
            return new(device, string.Create(CultureInfo.InvariantCulture, $"{device.Description}: all {kept.Checks} kernel checks agreed with the processor on {kept.Utc.ToLocalTime():yyyy-MM-dd}"));
        return Decide(device, () => Compare(device, progress, token));
    }

    /// <summary>The device, where the comparison speaks for it; else the processor, however a kernel's fault has left the device.</summary>
    internal static DeviceChoice Decide(Device device, Func<IReadOnlyList<DeviceCheckRow>> compare)
    {
        string reason;
        try
        {
            var rows = compare();
            if (rows.FirstOrDefault(r => !r.Ok) is not { } failed)
                return new(device, $"{device.Description}: all {rows.Count} kernel checks agree with the processor") { Checks = rows };
            string kernel = $"{failed.Operation} ({failed.Variant})";
            reason = failed.Message is { } message ? $"the CUDA device fails in {kernel}: {message.TrimEnd('.')}" : $"the CUDA device gives wrong results in {kernel}";
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            reason = $"the CUDA device cannot be compared with the processor: {e.GetBaseException().Message.TrimEnd('.')}";
        }
        device.Dispose();
        return Cpu(reason);
    }

    /// <summary>Compares a GPU's kernels with the processor's, and keeps that they agree.</summary>
    public static IReadOnlyList<DeviceCheckRow> Compare(Device device, IProgressSink? progress, CancellationToken token)
    {
        Compile(device, progress, token);
        using var host = Device.Cpu();
        progress?.Begin("Comparing the GPU's kernels with the processor's", DeviceCheck.Count(device), "checks");
        var rows = DeviceCheck.Run(device, host, progress is null ? null : progress.Advance, token);
        KeptCheck.Keep(device, rows);
        return rows;
    }

    /// <summary>So that the comparison goes at one pace.</summary>
    private static void Compile(Device device, IProgressSink? progress, CancellationToken token)
    {
        var kernels = DeviceCheck.KernelsOn(device).ToArray();
        progress?.Begin("Compiling the GPU's kernels", kernels.Length, "kernels");
        for (int i = 0; i < kernels.Length; i++)
        {
            try
            {
                device.Compile([kernels[i]], token);
            }
            catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
            {
                // The comparison will find it.
            }
            progress?.Advance(i + 1);
        }
    }

    private static DeviceChoice Cpu(string reason)
    {
        var device = Device.Cpu();
        return new(device, $"{device.Description}: {reason}");
    }
}
