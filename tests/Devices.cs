using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests;

/// <summary>Devices are slow to open: one of each for all tests.</summary>
[SetUpFixture, Parallelizable]
public sealed class Devices
{
    private static readonly Lazy<Device> CpuDevice = new(() => Device.Cpu());
    private static readonly Lazy<Device> ReferenceDevice = new(() => Device.Cpu(preferred: VariantKind.Reference));
    private static readonly Lazy<Device> SimulatedDevice = new(() => Device.Simulation());
    private static readonly Lazy<Device> HopperDevice = new(() => Device.Simulation(hopper: true));
    private static readonly PtxLauncher Launcher = new();
    private static readonly Lazy<Device> EmittedDevice = new(() => Device.Simulation(launcher: Launcher));
    private static readonly Lazy<Device?> CudaDevice = new(() => HasDriver && Device.CudaCount() > 0 ? Device.Cuda() : null);

    /// <summary>Whether NVIDIA's driver is here: asked once and first of all, for tests put one of ours in its place where it is not.</summary>
    public static bool HasDriver { get; } = System.Runtime.InteropServices.NativeLibrary.TryLoad(CudaLibrary.Name, out _);

    public static Device Cpu => CpuDevice.Value;

    /// <summary>The processor with Reference variants, for what is made of several operations.</summary>
    public static Device Reference => ReferenceDevice.Value;

    public static Device Simulation => SimulatedDevice.Value;

    /// <summary>A simulated GPU of compute capability 9.0; slower still, for its products compare their operands at both ends.</summary>
    public static Device Hopper => HopperDevice.Value;

    /// <summary>The emitted PTX, executed: far quicker than simulated warps, whose every barrier is one of threads of the system.</summary>
    public static Device Emitted => EmittedDevice.Value;

    /// <summary>What runs a CUDA variant without a GPU: simulated warps, or its emitted PTX where these take long.</summary>
    public static Device Simulating(Variant variant) => variant.Kind == VariantKind.Wgmma ? Emitted : Simulation;

    /// <summary>Null where there is none.</summary>
    public static Device? Cuda => CudaDevice.Value;

    /// <summary>Every variant with each device that can run it on a problem: Host and Reference on the processor, Simt in simulation and on a GPU.</summary>
    public static IEnumerable<(Variant Variant, Device Device)> VariantsOf(Operation operation, object problem)
        => from variant in operation.AllVariants
           from device in variant.Kind is VariantKind.Host or VariantKind.Reference ? [Cpu] : Cuda is null ? [Simulation] : new[] { Simulation, Cuda }
           where operation.RefusalOf(variant, device, problem) is null
           select (variant, device);

    [OneTimeSetUp]
    public void CheckVectors() => DeviceTests.IntrinsicsOff.AssertExpectation();

    [OneTimeTearDown]
    public void Close()
    {
        foreach (var device in new[] { CpuDevice.IsValueCreated ? Cpu : null, ReferenceDevice.IsValueCreated ? Reference : null, SimulatedDevice.IsValueCreated ? Simulation : null, HopperDevice.IsValueCreated ? Hopper : null, EmittedDevice.IsValueCreated ? Emitted : null, CudaDevice.IsValueCreated ? Cuda : null })
            device?.Dispose();
        Launcher.Dispose();
    }
}
