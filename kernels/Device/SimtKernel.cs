using System.Reflection;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>A CUDA kernel written as a static C# method: its name and method, so that it can be listed, compiled offline and launched.</summary>
public abstract class SimtKernel(string name, Delegate kernel, KernelSpecialization bounds)
{
    /// <summary>Readable and unique, such as <c>convolution.forward.simt-32x32x16</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The name with what PTX takes in names, which profilers show.</summary>
    public string Entry => EntryNames.Of(Name);

    /// <summary>The explicitly grouped kernel.</summary>
    public MethodInfo Method { get; } = kernel.Method;

    /// <summary>What the assembler is told of its launches, if anything: with it, it finds registers for all of them.</summary>
    public KernelSpecialization Bounds { get; } = bounds;

    /// <summary>Whether it needs instructions that the chips of compute capability 9.0 alone have; see <see cref="HopperTarget"/>.</summary>
    public bool Hopper { get; protected init; }

    /// <summary>Whether it copies by tensor maps (<see cref="TensorMaps"/>), which want a newer driver.</summary>
    public bool CopiesTensors { get; protected init; }

    /// <summary>Bytes of shared memory that the driver is asked for; 0 where what a kernel declares is all.</summary>
    public int DynamicSharedBytes { get; protected init; }

    public override string ToString() => Name;
}

/// <typeparam name="TLauncher">What ILGPU makes of it: an <c>Action</c> of <c>KernelConfig</c> and the kernel's parameters.</typeparam>
/// <param name="load">Loads it on the accelerator of simulated warps: <c>a =&gt; a.LoadStreamKernel&lt;…&gt;(Kernel)</c>, with the same bounds. Kernels for Hopper have none, for they need a <see cref="SimulatedBlock"/>.</param>
public sealed class SimtKernel<TLauncher>(string name, Delegate kernel, Func<Accelerator, TLauncher>? load, KernelSpecialization bounds = default) : SimtKernel(name, kernel, bounds)
    where TLauncher : Delegate
{
    /// <summary>A kernel for Hopper.</summary>
    public SimtKernel(string name, Delegate kernel, int dynamicSharedBytes, KernelSpecialization bounds, bool copiesTensors = false) : this(name, kernel, null, bounds)
    {
        DynamicSharedBytes = dynamicSharedBytes;
        CopiesTensors = copiesTensors;
        Hopper = true;
    }

    /// <param name="dynamicSharedBytes">Bytes of shared memory that the driver is asked for; 0 for none.</param>
    public SimtKernel(string name, Delegate kernel, Func<Accelerator, TLauncher> load, KernelSpecialization bounds, int dynamicSharedBytes) : this(name, kernel, load, bounds) => DynamicSharedBytes = dynamicSharedBytes;

    internal TLauncher Load(Accelerator accelerator) => accelerator is CudaAccelerator cuda ? CudaLoader.Load<TLauncher>(this, cuda) : load?.Invoke(accelerator) ?? SimulatedBlock.Load<TLauncher>(this, accelerator);

    /// <summary>The launcher on a device, compiled at first use, for one launch: each is asked for, so that it can be counted.</summary>
    public TLauncher On(Device device) => device.Launcher(this);
}
