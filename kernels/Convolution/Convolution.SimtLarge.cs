using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>The variants in fp32 of large tiles.</summary>
    private static class SimtLarge
    {
        public static readonly Variant<ConvolutionShape> Forward = ForwardVariant<EveryPixel, WideSimtTile>(), ForwardPooled = ForwardVariant<PooledPixels, WideSimtTile>();

        /// <summary>Of 64 columns.</summary>
        public static readonly Variant<ConvolutionShape> NarrowForward = ForwardVariant<EveryPixel, NarrowSimtTile>(), NarrowForwardPooled = ForwardVariant<PooledPixels, NarrowSimtTile>();

        public static readonly Variant<ConvolutionShape> BackwardData = new(
            SimtLargeTile<WideSimtTile>.Name, VariantKind.Simt, RunBackwardData, null, s => SimtLargeTile<WideSimtTile>.Refuses(s.GroupIc), SimtBackwardData<ByFours>.Kernel, SimtBackwardData<ByOnes>.Kernel)
        {
            Leaves = (_, s) => SimtLargeTile<WideSimtTile>.Leaves((long)s.B * s.H * s.W, s.GroupIc, s.Groups),
        };

        public static readonly Variant<ConvolutionShape> BackwardWeights = new(
            SimtLargeTile<WideSimtTile>.Name, VariantKind.Simt, RunBackwardWeights, (device, s) => Math.Max(Slices(s) > 1 ? (long)Slices(s) * s.WLength : 0, BackwardBiasWorkspace(device, s)),
            s => SimtLargeTile<WideSimtTile>.Refuses(s.GroupOc), SimtBackwardWeights.Kernel, PartialSums.Kernel, Simt.BackwardBias, Simt.BackwardBiasSum)
        {
            Leaves = (_, s) => SimtLargeTile<WideSimtTile>.Leaves(s.R * s.S * s.GroupIc, s.GroupOc, Slices(s)),
        };

        private static Variant<ConvolutionShape> ForwardVariant<TPixels, TTile>()
            where TPixels : struct, ITensorPixels
            where TTile : struct, ISimtTile
            => new(
                SimtLargeTile<TTile>.Name, VariantKind.Simt, RunForward<TPixels, TTile>, null, s => SimtLargeTile<TTile>.Refuses(s.GroupOc),
                SimtForward<TPixels, ByFours, TTile>.Kernel, SimtForward<TPixels, ByOnes, TTile>.Kernel)
            {
                Leaves = (_, s) => SimtLargeTile<TTile>.Leaves((long)s.B * s.P * s.Q, s.GroupOc, s.Groups),
            };

        private static void RunForward<TPixels, TTile>(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
            where TPixels : struct, ITensorPixels
            where TTile : struct, ISimtTile
        {
            if (s.B == 0)
                return;
            if (SimtProblem.GoesByFours(s, v[0], v[1], v[3], v[3]))
                SimtForward<TPixels, ByFours, TTile>.Launch(device, s, v[0], v[1], v[2], v[3]);
            else
                SimtForward<TPixels, ByOnes, TTile>.Launch(device, s, v[0], v[1], v[2], v[3]);
        }

        private static void RunBackwardData(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
                return;
            // Without a mask y may be empty.
            var y = s.Relu != 0 ? v[1] : v[2];
            if (SimtProblem.GoesByFours(s, v[3], v[0], y, v[2]))
                SimtBackwardData<ByFours>.Launch(device, s, v[0], y, v[2], v[3]);
            else
                SimtBackwardData<ByOnes>.Launch(device, s, v[0], y, v[2], v[3]);
        }

        private static void RunBackwardWeights(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
            {
                device.Clear(v[3]);
                device.Clear(v[4]);
                return;
            }
            int slices = Slices(s);
            var y = s.Relu != 0 ? v[1] : v[2];
            var dw = slices > 1 ? workspace : v[3];
            SimtBackwardWeights.Launch(device, s, v[0], y, v[2], dw, slices);
            if (slices > 1)
                PartialSums.Run(device, workspace, v[3], s.WLength, slices);
            BackwardBiasSimt(device, s, v, workspace);
        }

        /// <summary>
        /// As many slices of pixels as bring the tiles to two for each of an H100's 132 multiprocessors, with at least 512 pixels each. By the shape alone, so that every chip adds in the same order.
        /// </summary>
        private static int Slices(in ConvolutionShape s)
        {
            var tiles = SimtLargeTile<WideSimtTile>.Blocks(s.R * s.S * s.GroupIc, s.GroupOc).GridDim;
            long wanted = Math.Min(264 / ((long)tiles.X * tiles.Y), (long)s.B * s.P * s.Q / 512);
            return (int)Math.Clamp(Math.Min(wanted, int.MaxValue / s.WLength), 1, 64);
        }
    }
}
