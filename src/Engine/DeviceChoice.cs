using System.Globalization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine;

/// <summary>The device that a run uses, and in one line why.</summary>
public sealed record DeviceChoice(Device Device, string Reason)
{
    /// <summary>Opens a device by name.</summary>
    /// <param name="name">auto, cpu, cuda or cuda:N. auto takes CUDA device 0 only if the whole table of kernels agrees there with Host.</param>
    /// <param name="precision">What a GPU's products take; the processor always takes fp32.</param>
    /// <exception cref="UserErrorException">There is no such device, or it lacks tensor cores for that precision.</exception>
    public static DeviceChoice Open(string name, Precision precision = Precision.Fp32, CancellationToken token = default)
    {
        if (name == "cpu")
            return Cpu("as asked");
        if (name == "auto")
            return Auto(precision, token);
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

    private static DeviceChoice Auto(Precision precision, CancellationToken token)
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
