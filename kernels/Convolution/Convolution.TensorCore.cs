using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>Why tensor cores do not compute a convolution, or null.</summary>
    private static string? RefusesTensorCore(ConvolutionShape s) => s.Groups != 1 ? "takes one group" : null;

    private static long ForwardTensorCoreWorkspace(Device device, ConvolutionShape s)
    {
        var p = TensorCoreProblem.Of(s);
        return Bf16Packing.Floats((long)p.PackX.Chunks + p.PackWeights.Chunks);
    }

    private static void ForwardTensorCore(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B == 0)
            return;
        var p = TensorCoreProblem.Of(s);
        var x = ChunkViews.TakeChunks(ref workspace, p.PackX.Chunks);
        var w = ChunkViews.TakeChunks(ref workspace, p.PackWeights.Chunks);
        Bf16Packing.Run(device, p.PackX, v[0], v[0], x);
        Bf16Packing.Run(device, p.PackWeights, v[1], v[1], w);
        TensorCoreForward.Kernel.On(device)(TensorTiles(p.OutPixels, s.Oc, 1), x, w, v[2], v[3], p);
    }

    private static long BackwardDataTensorCoreWorkspace(Device device, ConvolutionShape s)
    {
        var p = TensorCoreProblem.Of(s);
        return Bf16Packing.Floats((long)p.PackGradient.Chunks + p.PackWeights.Chunks);
    }

    private static void BackwardDataTensorCore(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B == 0)
            return;
        var p = TensorCoreProblem.Of(s);
        var gradient = ChunkViews.TakeChunks(ref workspace, p.PackGradient.Chunks);
        var w = ChunkViews.TakeChunks(ref workspace, p.PackWeights.Chunks);
        Bf16Packing.Run(device, p.PackGradient, v[2], s.Relu != 0 ? v[1] : v[2], gradient);
        Bf16Packing.Run(device, p.PackWeights, v[0], v[0], w);
        TensorCoreBackwardData.Kernel.On(device)(TensorTiles(p.InPixels, s.Ic, 1), gradient, w, v[3], p);
    }

    private static long BackwardWeightsTensorCoreWorkspace(Device device, ConvolutionShape s)
    {
        var p = TensorCoreProblem.Of(s);
        return Bf16Packing.Floats((long)p.PackX.Chunks + p.PackGradient.Chunks) + Math.Max((long)p.Slices * s.WLength, BackwardBiasWorkspace(device, s));
    }

    private static void BackwardWeightsTensorCore(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B == 0)
        {
            device.Clear(v[3]);
            device.Clear(v[4]);
            return;
        }
        var p = TensorCoreProblem.Of(s);
        var x = ChunkViews.TakeChunks(ref workspace, p.PackX.Chunks);
        var gradient = ChunkViews.TakeChunks(ref workspace, p.PackGradient.Chunks);
        Bf16Packing.Run(device, p.PackX, v[0], v[0], x);
        Bf16Packing.Run(device, p.PackGradient, v[2], s.Relu != 0 ? v[1] : v[2], gradient);
        TensorCoreBackwardWeights.Kernel.On(device)(TensorTiles(p.Taps * p.InRows, s.Oc, p.Slices), x, gradient, workspace, p);
        TensorCoreBackwardWeights.Sum.On(device)(new KernelConfig((s.WLength + TensorTile.Threads - 1) / TensorTile.Threads, TensorTile.Threads), workspace, v[3], p);
        BackwardBiasSimt(device, s, v, workspace);
    }

    private static KernelConfig TensorTiles(int rows, int columns, int slices) => new(
        new Index3D((rows + TensorTile.Rows - 1) / TensorTile.Rows, (columns + TensorTile.Columns - 1) / TensorTile.Columns, slices),
        new Index3D(TensorTile.Threads, 1, 1));
}
