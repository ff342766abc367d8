using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>For whom PTX is written.</summary>
internal readonly record struct PtxTarget(CudaArchitecture Chip, CudaInstructionSet Version)
{
    /// <summary>Compute capability 8.0 and PTX 7.0, which newer chips and drivers take as well: ILGPU 1.5.3 writes nothing else for them, so what runs there is what is verified without a GPU.</summary>
    public static PtxTarget Usual => new(CudaArchitecture.SM_80, CudaInstructionSet.ISA_70);

    public static PtxTarget Of(CudaAccelerator accelerator) => accelerator.Architecture >= CudaArchitecture.SM_80 ? Usual : new(accelerator.Architecture, accelerator.InstructionSet);
}
