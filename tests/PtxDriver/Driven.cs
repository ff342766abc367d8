using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.PtxDriver;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>Devices on the driver that executes PTX: ILGPU's and our own way to a GPU, with none behind it.</summary>
internal static class Driven
{
    public static Device Open(Precision precision = Precision.Fp32, string chip = "H100", int version = 12080, string? faults = null)
    {
        if (Devices.HasDriver || !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Ignore("The driver that executes PTX stands in on Linux with x86-64, where there is no other.");
        DriverLibrary.Install();
        Driver.Restart(new(DriverChip.Named(chip), version, Faults: faults));
        return Device.Cuda(0, precision);
    }
}
