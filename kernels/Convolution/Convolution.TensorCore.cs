using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>The variants for tensor cores, one a direction, for kernels that share a tile, and a kind of numbers.</summary>
    private static class TensorCore<TKernels, TNumbers>
        where TKernels : struct, ITensorConvolution
        where TNumbers : struct, ITensorNumbers
    {
        public static readonly Variant<ConvolutionShape> Forward = ForwardVariant<EveryPixel>(), ForwardPooled = ForwardVariant<PooledPixels>();

        public static readonly Variant<ConvolutionShape> BackwardData = Variant(
            RunBackwardData, BackwardDataWorkspace, s => K.Refuses((long)s.B * s.H * s.W, s.Ic), s => K.Leaves((long)s.B * s.H * s.W, s.Ic),
            K.BackwardData, TensorOperand<TNumbers>.Pack);

        // Slices of pixels make blocks enough, so the columns alone decide which tile, and all of them whether a large one.
        public static readonly Variant<ConvolutionShape> BackwardWeights = Variant(
            RunBackwardWeights, BackwardWeightsWorkspace, s => K.Refuses(int.MaxValue, s.Oc), s => K.Leaves((long)K.Problem(s).Slices * s.R * s.S * s.Ic, s.Oc),
            K.BackwardWeights, PartialSums.Kernel, TensorOperand<TNumbers>.Pack, Simt.BackwardBias, Simt.BackwardBiasSum);

        private static TKernels K => default;

        private static Variant<ConvolutionShape> Variant(
            Launch<ConvolutionShape> run, Func<Device, ConvolutionShape, long> workspace, Func<ConvolutionShape, string?> refuses, Func<ConvolutionShape, string?> leaves, params SimtKernel[] kernels)
            => new(K.Name, K.Kind, run, workspace, s => RefusesGroups(s) ?? refuses(s), kernels)
            {
                Precision = default(TNumbers).Precision,
                Leaves = leaves,
            };

        private static Variant<ConvolutionShape> ForwardVariant<TPixels>()
            where TPixels : struct, ITensorPixels
            => new(
                K.Name, K.Kind, new Preparation<ConvolutionShape>(Prepared, Prepare, RunForward<TPixels>), ForwardWorkspace,
                s => RefusesGroups(s) ?? K.Refuses((long)s.B * s.P * s.Q, s.Oc), K.Forward<TPixels>(), TensorOperand<TNumbers>.Pack)
            {
                Precision = default(TNumbers).Precision,
                Leaves = s => K.Leaves((long)s.B * s.P * s.Q, s.Oc),
            };

        private static string? RefusesGroups(in ConvolutionShape s) => s.Groups != 1 ? "takes one group" : null;

        private static long Prepared(Device device, ConvolutionShape s) => TensorOperand<TNumbers>.Prepared(TensorCoreProblem.PackWeights<TNumbers>(s));

        private static void Prepare(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackWeights<TNumbers>(s), v[1], v[1], ref prepared);

        private static long ForwardWorkspace(Device device, ConvolutionShape s) => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackX<TNumbers>(s));

        private static void RunForward<TPixels>(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
            where TPixels : struct, ITensorPixels
        {
            if (s.B == 0)
                return;
            var p = K.Problem(s);
            var x = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackX<TNumbers>(s), v[0], v[0], ref workspace);
            var w = TensorOperand<TNumbers>.Taken(TensorCoreProblem.PackWeights<TNumbers>(s), v[1], prepared);
            int pixels = s.B * default(TPixels).Rows(s) * default(TPixels).Columns(s) * (default(TPixels).Pools ? 4 : 1);
            K.Forward<TPixels>().On(device)(K.Blocks(pixels, s.Oc), x, w, v[2], v[3], p);
        }

        private static long BackwardDataWorkspace(Device device, ConvolutionShape s)
            => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackGradient<TNumbers>(s)) + TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackWeights<TNumbers>(s));

        private static void RunBackwardData(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
                return;
            var p = K.Problem(s);
            var gradient = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackGradient<TNumbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            var w = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackWeights<TNumbers>(s), v[0], v[0], ref workspace);
            K.BackwardData.On(device)(K.Blocks(p.InPixels, s.Ic), gradient, w, v[3], p);
        }

        private static long BackwardWeightsWorkspace(Device device, ConvolutionShape s)
            => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackX<TNumbers>(s)) + TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackGradient<TNumbers>(s))
                + Math.Max((long)K.Problem(s).Slices * s.WLength, BackwardBiasWorkspace(device, s));

        private static void RunBackwardWeights(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
            {
                device.Clear(v[3]);
                device.Clear(v[4]);
                return;
            }
            var p = K.Problem(s);
            var x = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackX<TNumbers>(s), v[0], v[0], ref workspace);
            var gradient = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackGradient<TNumbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            K.BackwardWeights.On(device)(K.Blocks(p.Taps * p.InRows, s.Oc, p.Slices), x, gradient, workspace, p);
            PartialSums.Run(device, workspace, v[3], s.WLength, p.Slices);
            BackwardBiasSimt(device, s, v, workspace);
        }
    }
}
