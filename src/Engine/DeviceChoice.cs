using System.Globalization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine;

/// <summary>The device that a run uses, and in one line why.</summary>
public sealed record DeviceChoice(Device Device, string Reason)
{
    /// <summary>Opens a device by name.</summary>
    /// <param name="name">auto, cpu, cuda or cuda:N. auto takes CUDA device 0 only if the whole table of kernels agrees there with Host.</param>
    /// <exception cref="UserErrorException">There is no such device.</exception>
    public static DeviceChoice Open(string name, CancellationToken token = default)
    {
        if (name == "cpu")
            return Cpu("as asked");
        if (name == "auto")
            return Auto(token);
        int index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index)))
            throw new UserErrorException($"There is no device {name}: say auto, cpu, cuda or cuda:N.");
        int count = Device.CudaCount();
        if (index >= count)
            throw new UserErrorException(count == 0
                ? $"There is no CUDA device here, so {name} cannot be used: run with --device cpu, or install an NVIDIA driver."
                : $"There is no {name}: {count} CUDA device{(count == 1 ? "" : "s")} found, counted from 0.");
        var device = Device.Cuda(index);
        return new(device, $"{device.Description}, as asked");
    }

    private static DeviceChoice Auto(CancellationToken token)
    {
        if (Device.CudaCount() == 0)
            return Cpu("no CUDA device found");
        Device device;
        try
        {
            device = Device.Cuda();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Cpu($"the CUDA device does not open: {e.Message.TrimEnd('.')}");
        }
        using var host = Device.Cpu();
        var rows = DeviceCheck.Run(device, host, token);
        if (rows.FirstOrDefault(r => !r.Ok) is not { } failed)
            return new(device, $"{device.Description}: all {rows.Count} kernel checks agree with the processor");
        device.Dispose();
        return Cpu($"the CUDA device gives wrong results in {failed.Operation} ({failed.Variant})");
    }

    private static DeviceChoice Cpu(string reason)
    {
        var device = Device.Cpu();
        return new(device, $"{device.Description}: {reason}");
    }
}
