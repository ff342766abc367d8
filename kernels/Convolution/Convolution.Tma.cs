using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>The variants with wgmma whose operands come by TMA. They prepare of w what those for tensor cores do.</summary>
    private static class Tma
    {
        public static readonly Variant<ConvolutionShape> Forward = ForwardVariant<EveryPixel>(), ForwardPooled = ForwardVariant<PooledPixels>();

        public static readonly Variant<ConvolutionShape> BackwardData = Variant(
            TensorCore<WgmmaConvolution, Bf16Numbers>.PrepareBackwardData, RunBackwardData, TensorCore<WgmmaConvolution, Bf16Numbers>.BackwardDataWorkspace,
            s => Refuses(s) ?? TensorCore<WgmmaConvolution, Bf16Numbers>.RefusesPart(s), s => TmaTile.Leaves(s.B, s.H, s.W, s.Ic),
            TmaBackwardData.Kernel, TensorOperand<Bf16Numbers>.Pack, Bf16Mask.Kernel);

        public static readonly Variant<ConvolutionShape> BackwardWeights = new(
            TmaTile.Name, VariantKind.Wgmma, RunBackwardWeights, (d, s) => TensorCore<WgmmaConvolution, Bf16Numbers>.BackwardWeightsWorkspace(d, s, TensorCoreProblem.OfTma(s).Slices), s => Refuses(s) ?? TensorCore<WgmmaConvolution, Bf16Numbers>.RefusesPart(s),
            TmaBackwardWeights.Kernel, PartialSums.Kernel, TensorOperand<Bf16Numbers>.Pack, Simt.BackwardBias, Simt.BackwardBiasSum, Bf16Mask.Kernel, Bf16Bias.Kernel)
        {
            Precision = Precision.Bf16,
            TakesBf16Maps = true,
            Leaves = (_, s) => TmaWeightsTile.Leaves(s, TensorCoreProblem.OfTma(s).Slices),
        };

        private static Variant<ConvolutionShape> ForwardVariant<TPixels>()
            where TPixels : struct, ITensorPixels
            => Variant(
                TensorCore<WgmmaConvolution, Bf16Numbers>.PrepareForward, RunForward<TPixels>, TensorCore<WgmmaConvolution, Bf16Numbers>.ForwardWorkspace, Refuses,
                s => TmaTile.Leaves(s.B, s.P, s.Q, s.Oc), TmaForward<TPixels>.Kernel, TensorOperand<Bf16Numbers>.Pack);

        private static Variant<ConvolutionShape> Variant(
            Preparation<ConvolutionShape>.Launch prepare, Preparation<ConvolutionShape>.PreparedLaunch run, Func<Device, ConvolutionShape, long> workspace,
            Func<ConvolutionShape, string?> refuses, Func<ConvolutionShape, string?> leaves, params SimtKernel[] kernels)
            => new(TmaTile.Name, VariantKind.Wgmma, new Preparation<ConvolutionShape>(TensorCore<WgmmaConvolution, Bf16Numbers>.Prepared, prepare, run), workspace, refuses, kernels)
            {
                Precision = Precision.Bf16,
                TakesBf16Maps = true,
                Leaves = (_, s) => leaves(s),
            };

        private static string? Refuses(ConvolutionShape s) => TensorCore<WgmmaConvolution, Bf16Numbers>.RefusesGroups(s) ?? TmaTile.Refuses(s);

        private static void RunForward<TPixels>(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
            where TPixels : struct, ITensorPixels
        {
            if (s.B == 0)
                return;
            var p = TensorCoreProblem.OfWgmma(s);
            var x = TensorOperand<Bf16Numbers>.Take(device, TensorCoreProblem.PackX<Bf16Numbers>(s), v[0], v[0], ref workspace);
            int scale = TmaForward<TPixels>.Scale;
            TmaForward<TPixels>.Kernel.On(device)(
                TmaTile.Blocks(s.B, scale * default(TPixels).Rows(s), scale * default(TPixels).Columns(s), s.Oc),
                Pixels(device, x, p.InChunks, s.W, s.H, s), Weights(device, s, v[1], prepared, TmaTile.Depth), v[2], v[3], p);
        }

        private static void RunBackwardData(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
        {
            if (s.B == 0)
                return;
            var p = TensorCoreProblem.OfWgmma(s);
            var gradient = TensorOperand<Bf16Numbers>.Take(device, TensorCoreProblem.PackGradient<Bf16Numbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            TmaBackwardData.Kernel.On(device)(
                TmaTile.Blocks(s.B, s.H, s.W, s.Ic), Pixels(device, gradient, p.OutChunks, s.Q, s.P, s), Weights(device, s, v[0], prepared, TmaTile.Columns), v[3], p);
        }

        private static void RunBackwardWeights(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
            {
                device.Clear(v[3]);
                device.Clear(v[4]);
                return;
            }
            var p = TensorCoreProblem.OfTma(s);
            var x = TensorOperand<Bf16Numbers>.Take(device, TensorCoreProblem.PackX<Bf16Numbers>(s), v[0], v[0], ref workspace);
            var gradient = TensorOperand<Bf16Numbers>.Take(device, TensorCoreProblem.PackGradient<Bf16Numbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            TmaBackwardWeights.Kernel.On(device)(
                TmaWeightsTile.Blocks(s, p.Slices), Box(device, x, p.InChunks, s.W, s.H, s.B, TmaWeightsTile.Patch, TmaWeightsTile.Patch + s.R - 1),
                Box(device, gradient, p.OutChunks, s.Q, s.P, s.B, TmaWeightsTile.Patch, TmaWeightsTile.Patch), workspace, p);
            TensorCore<WgmmaConvolution, Bf16Numbers>.EndBackwardWeights(device, s, v, gradient, workspace, p.Slices);
        }

        /// <summary>Boxes of the pixels of maps, for the taps of a column of the kernel.</summary>
        private static ArrayView<TensorMapBytes> Pixels(Device device, ArrayView<Chunk> maps, int chunks, int columns, int rows, in ConvolutionShape s)
            => Box(device, maps, chunks, columns, rows, s.B, TmaTile.Across, TmaTile.Down + s.R - 1);

        /// <summary>Boxes of a tap's weights: 64 output channels and so many input channels.</summary>
        private static ArrayView<TensorMapBytes> Weights(Device device, in ConvolutionShape s, ArrayView<float> w, ArrayView<float> prepared, int channels)
        {
            var packing = TensorCoreProblem.PackWeights<Bf16Numbers>(s);
            var chunks = TensorOperand<Bf16Numbers>.Taken(packing, w, prepared);
            return Box(device, chunks, packing.RowChunks, s.Ic, s.R * s.S, 1, channels, 1);
        }

        private static ArrayView<TensorMapBytes> Box(Device device, ArrayView<Chunk> from, int chunks, int columns, int rows, int maps, int boxColumns, int boxRows)
            => device.TensorMaps.Of(new(from.LoadEffectiveAddressAsPtr(), 8 * chunks, columns, rows, maps, boxColumns, boxRows));
    }
}
