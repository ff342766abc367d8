using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Runs what would be launched on an accelerator: on a device that was opened with one, every CUDA kernel goes to it instead.</summary>
public interface IKernelLauncher
{
    /// <param name="arguments">In the order of the kernel's parameters; their memory is valid during the call.</param>
    void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments);

    /// <summary>Why it takes no tensor maps, or null.</summary>
    string? RefusesTensorMaps => null;

    /// <summary>Writes the tensor map by which a launch finds a box, <see cref="TensorMapBytes.Length"/> bytes.</summary>
    /// <param name="box">Its address is one of the host's memory.</param>
    void Encode(in TensorBox box, Span<float> map);
}
