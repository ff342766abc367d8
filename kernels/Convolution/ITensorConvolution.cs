using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>Kernels of the three directions that share a tile.</summary>
internal interface ITensorConvolution
{
    string Name { get; }

    VariantKind Kind { get; }

    SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Forward<TPixels>()
        where TPixels : struct, ITensorPixels;

    SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardData { get; }

    SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardWeights { get; }

    TensorCoreProblem Problem(in ConvolutionShape shape);

    /// <summary>The blocks of a product.</summary>
    KernelConfig Blocks(int rows, int columns, int slices = 1);

    /// <summary>Why it does not take a product of so many rows and columns, or null.</summary>
    string? Refuses(long rows, int columns);

    /// <summary>Why another tile is sooner done with it, or null; see <see cref="Variant{TProblem}.Leaves"/>.</summary>
    string? Leaves(Device device, long rows, int columns);
}

/// <summary>mma.sync, from compute capability 8.0 on.</summary>
internal readonly struct MmaConvolution<TTile, TNumbers> : ITensorConvolution
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
{
    public string Name => TensorTile<TTile, TNumbers>.Name;

    public VariantKind Kind => VariantKind.TensorCore;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Forward<TPixels>()
        where TPixels : struct, ITensorPixels
        => TensorCoreForward<TTile, TNumbers, TPixels>.Kernel;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardData => TensorCoreBackwardData<TTile, TNumbers>.Kernel;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardWeights => TensorCoreBackwardWeights<TTile, TNumbers>.Kernel;

    public TensorCoreProblem Problem(in ConvolutionShape shape) => TensorCoreProblem.Of<TTile, TNumbers>(shape);

    public KernelConfig Blocks(int rows, int columns, int slices) => TensorTile<TTile, TNumbers>.Blocks(rows, columns, slices);

    public string? Refuses(long rows, int columns) => TensorTile<TTile, TNumbers>.Refuses(rows, columns);

    public string? Leaves(Device device, long rows, int columns) => TensorTile<TTile, TNumbers>.Leaves(device, rows, columns);
}

/// <summary>wgmma, on compute capability 9.0.</summary>
internal readonly struct WgmmaConvolution : ITensorConvolution
{
    public string Name => WgmmaTile.Name;

    public VariantKind Kind => VariantKind.Wgmma;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Forward<TPixels>()
        where TPixels : struct, ITensorPixels
        => WgmmaForward<TPixels>.Kernel;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardData => WgmmaBackwardData.Kernel;

    public SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> BackwardWeights => WgmmaBackwardWeights.Kernel;

    public TensorCoreProblem Problem(in ConvolutionShape shape) => TensorCoreProblem.OfWgmma(shape);

    public KernelConfig Blocks(int rows, int columns, int slices) => WgmmaTile.Blocks(rows, columns, slices);

    public string? Refuses(long rows, int columns) => null;

    public string? Leaves(Device device, long rows, int columns) => WgmmaTile.Leaves(rows, columns);
}
