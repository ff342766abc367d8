using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests;

/// <summary>Devices are slow to open: one of each for all tests.</summary>
[SetUpFixture]
public sealed class Devices
{
    private static readonly Lazy<Device> CpuDevice = new(() => Device.Cpu());
    private static readonly Lazy<Device> SimulatedDevice = new(Device.Simulation);
    private static readonly Lazy<Device?> CudaDevice = new(() => Device.CudaCount() > 0 ? Device.Cuda() : null);

    public static Device Cpu => CpuDevice.Value;
    public static Device Simulation => SimulatedDevice.Value;

    /// <summary>Null where there is none.</summary>
    public static Device? Cuda => CudaDevice.Value;

    [OneTimeTearDown]
    public void Close()
    {
        foreach (var device in new[] { CpuDevice.IsValueCreated ? Cpu : null, SimulatedDevice.IsValueCreated ? Simulation : null, CudaDevice.IsValueCreated ? Cuda : null })
            device?.Dispose();
    }
}
