using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>The variants for tensor cores, one a direction, for kernels that share a tile, and a kind of numbers.</summary>
    private static class TensorCore<TKernels, TNumbers>
        where TKernels : struct, ITensorConvolution
        where TNumbers : struct, ITensorNumbers
    {
        public static readonly Variant<ConvolutionShape> Forward = ForwardVariant<EveryPixel>(), ForwardPooled = ForwardVariant<PooledPixels>();

        public static readonly Variant<ConvolutionShape> BackwardData = PreparedVariant(
            PrepareBackwardData, RunBackwardData, BackwardDataWorkspace, s => RefusesPart(s) ?? K.Refuses((long)s.B * s.H * s.W, s.Ic), (d, s) => K.Leaves(d, (long)s.B * s.H * s.W, s.Ic),
            [K.BackwardData, TensorOperand<TNumbers>.Pack, .. Bf16 ? [Bf16Mask.Kernel] : Array.Empty<SimtKernel>()]);

        // Slices of pixels make blocks enough, so the columns alone decide which tile, and all of them whether a large one.
        public static readonly Variant<ConvolutionShape> BackwardWeights = Variant(
            RunBackwardWeights, BackwardWeightsWorkspace, RefusesWeights, LeavesWeights,
            [K.BackwardWeights, PartialSums.Kernel, TensorOperand<TNumbers>.Pack, Simt.BackwardBias, Simt.BackwardBiasSum, .. Bf16 ? [Bf16Mask.Kernel, Bf16Bias.Kernel] : Array.Empty<SimtKernel>()]);

        /// <summary>From 8-bit pixels.</summary>
        public static readonly Variant<PixelConvolutionShape> BackwardWeightsPixels = new(
            K.Name, K.Kind, RunBackwardWeightsPixels, (d, s) => BackwardWeightsWorkspace(d, s.Convolution), s => RefusesGroups(s.Convolution) ?? RefusesWeights(s.Convolution),
            [K.BackwardWeights, TensorOperand<TNumbers>.PackPixels, .. BackwardWeights.Kernels.Skip(1)])
        {
            Precision = default(TNumbers).Precision,
            TakesBf16Maps = Bf16,
            Leaves = (d, s) => LeavesWeights(d, s.Convolution),
        };

        private static TKernels K => default;

        private static bool Bf16 => default(TNumbers).Precision == Precision.Bf16;

        private static Variant<ConvolutionShape> Variant(
            Launch<ConvolutionShape> run, Func<Device, ConvolutionShape, long> workspace, Func<ConvolutionShape, string?> refuses, Func<Device, ConvolutionShape, string?> leaves, params SimtKernel[] kernels)
            => new(K.Name, K.Kind, run, workspace, s => RefusesGroups(s) ?? refuses(s), kernels)
            {
                Precision = default(TNumbers).Precision,
                TakesBf16Maps = Bf16,
                Leaves = leaves,
            };

        private static Variant<ConvolutionShape> ForwardVariant<TPixels>()
            where TPixels : struct, ITensorPixels
            => PreparedVariant(
                PrepareForward, RunForward<TPixels>, ForwardWorkspace, s => K.Refuses((long)s.B * s.P * s.Q, s.Oc), (d, s) => K.Leaves(d, (long)s.B * s.P * s.Q, s.Oc),
                K.Forward<TPixels>(), TensorOperand<TNumbers>.Pack);

        /// <summary>Both directions that take w prepare the same of it, so a plan needs it once.</summary>
        private static Variant<ConvolutionShape> PreparedVariant(
            Preparation<ConvolutionShape>.Launch prepare, Preparation<ConvolutionShape>.PreparedLaunch run, Func<Device, ConvolutionShape, long> workspace,
            Func<ConvolutionShape, string?> refuses, Func<Device, ConvolutionShape, string?> leaves, params SimtKernel[] kernels)
            => new(K.Name, K.Kind, new Preparation<ConvolutionShape>(Prepared, prepare, run), workspace, s => RefusesGroups(s) ?? refuses(s), kernels)
            {
                Precision = default(TNumbers).Precision,
                TakesBf16Maps = Bf16,
                Leaves = leaves,
            };

        private static void BackwardBiasRows(Device device, in ConvolutionShape s, ArrayView<Chunk> gradient, ArrayView<float> db, ArrayView<float> workspace)
        {
            if (s.HasBias == 0)
                return;
            int slices = BiasSlices(s);
            Bf16Bias.Run(device, gradient, workspace, s.B * s.P * s.Q, s.Oc, slices);
            Simt.BackwardBiasSum.On(device)(new KernelConfig((s.Oc + SimtTile.Threads - 1) / SimtTile.Threads, SimtTile.Threads), workspace, db, s.Oc, slices);
        }

        public static string? RefusesGroups(in ConvolutionShape s) => s.Groups != 1 ? "takes one group" : null;

        public static string? RefusesPart(in ConvolutionShape s) => s.YBf16 != 0 && s.Beside != 0 ? "takes the gradient of a whole map in bf16" : null;

        private static string? RefusesWeights(ConvolutionShape s) => RefusesPart(s) ?? K.Refuses(int.MaxValue, s.Oc);

        private static string? LeavesWeights(Device device, ConvolutionShape s) => K.Leaves(device, (long)K.Problem(s).Slices * s.R * s.S * s.Ic, s.Oc);

        public static long Prepared(Device device, ConvolutionShape s) => TensorOperand<TNumbers>.Prepared(TensorCoreProblem.PackWeights<TNumbers>(s));

        public static void PrepareForward(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackWeights<TNumbers>(s), v[1], v[1], ref prepared);

        public static void PrepareBackwardData(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackWeights<TNumbers>(s), v[0], v[0], ref prepared);

        public static long ForwardWorkspace(Device device, ConvolutionShape s) => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackX<TNumbers>(s));

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

        public static long BackwardDataWorkspace(Device device, ConvolutionShape s)
            => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackGradient<TNumbers>(s));

        private static void RunBackwardData(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
        {
            if (s.B == 0)
                return;
            var p = K.Problem(s);
            var gradient = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackGradient<TNumbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            var w = TensorOperand<TNumbers>.Taken(TensorCoreProblem.PackWeights<TNumbers>(s), v[0], prepared);
            K.BackwardData.On(device)(K.Blocks(p.InPixels, s.Ic), gradient, w, v[3], p);
        }

        private static long BackwardWeightsWorkspace(Device device, ConvolutionShape s) => BackwardWeightsWorkspace(device, s, K.Problem(s).Slices);

        public static long BackwardWeightsWorkspace(Device device, in ConvolutionShape s, int slices)
            => TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackX<TNumbers>(s)) + TensorOperand<TNumbers>.Floats(TensorCoreProblem.PackGradient<TNumbers>(s))
                + Math.Max((long)slices * s.WLength, BackwardBiasWorkspace(device, s));

        private static void RunBackwardWeights(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
            {
                device.Clear(v[3]);
                device.Clear(v[4]);
                return;
            }
            var x = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackX<TNumbers>(s), v[0], v[0], ref workspace);
            RunBackwardWeights(device, s, x, v, workspace);
        }

        private static void RunBackwardWeightsPixels(Device device, in PixelConvolutionShape problem, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            var s = problem.Convolution;
            if (s.B == 0)
            {
                device.Clear(v[3]);
                device.Clear(v[4]);
                return;
            }
            var x = TensorOperand<TNumbers>.Take(device, new PixelsShape(s.B, s.H, s.W, problem.Numbers), v[0], ref workspace);
            RunBackwardWeights(device, s, x, v, workspace);
        }

        private static void RunBackwardWeights(Device device, in ConvolutionShape s, ArrayView<Chunk> x, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            var p = K.Problem(s);
            var gradient = TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackGradient<TNumbers>(s), v[2], s.Relu != 0 ? v[1] : v[2], ref workspace);
            K.BackwardWeights.On(device)(K.Blocks(p.Taps * p.InRows, s.Oc, p.Slices), x, gradient, workspace, p);
            EndBackwardWeights(device, s, v, gradient, workspace, p.Slices);
        }

        /// <summary>The sums of the slices become dw, and the gradient's chunks db.</summary>
        /// <param name="workspace">Begins with the sums.</param>
        public static void EndBackwardWeights(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<Chunk> gradient, ArrayView<float> workspace, int slices)
        {
            PartialSums.Run(device, workspace, v[3], s.WLength, slices);
            if (s.YBf16 != 0)
                BackwardBiasRows(device, s, gradient, v[4], workspace);
            else
                BackwardBiasSimt(device, s, v, workspace);
        }
    }

    /// <summary>The variants of the forward directions for few input channels.</summary>
    private static class TensorCoreFewChannels<TNumbers>
        where TNumbers : struct, ITensorNumbers
    {
        public static readonly Variant<ConvolutionShape> Forward = Variant<ConvolutionShape, EveryPixel, FloatTaps>(s => s, _ => default, _ => null),
            ForwardPooled = Variant<ConvolutionShape, PooledPixels, FloatTaps>(s => s, _ => default, _ => null);

        /// <summary>From 8-bit pixels.</summary>
        public static readonly Variant<PixelConvolutionShape> ForwardPixels = Variant<PixelConvolutionShape, EveryPixel, PixelTaps>(s => s.Convolution, s => s.Numbers, _ => null);

        /// <inheritdoc cref="ForwardPixels"/>
        public static readonly Variant<PixelWindowedShape> ForwardWindowedPixels = Variant<PixelWindowedShape, PooledPixels, PixelTaps>(
            s => s.Windowed.Convolution, s => s.Numbers, s => s.Windowed is { Window: 2, Step: 2, Ceil: 0 } ? null : "takes windows of 2×2 that are cut nowhere");

        private static Variant<TProblem> Variant<TProblem, TPixels, TSource>(Func<TProblem, ConvolutionShape> shapeOf, Func<TProblem, PixelNumbers> numbersOf, Func<TProblem, string?> refuses)
            where TProblem : struct
            where TPixels : struct, ITensorPixels
            where TSource : struct, ITapSource
        {
            var preparation = new Preparation<TProblem>(
                (_, problem) => TensorOperand<TNumbers>.Prepared(TensorCoreProblem.PackWeights<TNumbers>(shapeOf(problem))),
                (Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => TensorOperand<TNumbers>.Take(device, TensorCoreProblem.PackWeights<TNumbers>(shapeOf(problem)), v[1], v[1], ref prepared),
                (Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> _)
                    => Run<TPixels, TSource>(device, shapeOf(problem), numbersOf(problem), v, prepared));
            return new(
                TensorCoreTapsForward<TNumbers, TPixels, TSource>.Name, VariantKind.TensorCore, preparation, (_, _) => 0, problem => Refuses(shapeOf(problem)) ?? refuses(problem),
                TensorCoreTapsForward<TNumbers, TPixels, TSource>.Kernel, TensorOperand<TNumbers>.Pack)
            {
                Precision = default(TNumbers).Precision,
                TakesBf16Maps = default(TNumbers).Precision == Precision.Bf16,
            };
        }

        private static string? Refuses(ConvolutionShape s)
            => s.Groups != 1 ? "takes one group" : s.Ic >= 8 ? "takes fewer than 8 channels" : s.XBf16 != 0 ? "takes x in fp32" : null;

        private static void Run<TPixels, TSource>(Device device, in ConvolutionShape s, in PixelNumbers numbers, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            where TPixels : struct, ITensorPixels
            where TSource : struct, ITapSource
        {
            if (s.B == 0)
                return;
            var w = TensorOperand<TNumbers>.Taken(TensorCoreProblem.PackWeights<TNumbers>(s), v[1], prepared);
            int pixels = s.B * default(TPixels).Rows(s) * default(TPixels).Columns(s) * (default(TPixels).Pools ? 4 : 1);
            TensorCoreTapsForward<TNumbers, TPixels, TSource>.Kernel.On(device)(
                TensorTile<NarrowTile, TNumbers>.Blocks(pixels, s.Oc), v[0], w, v[2], v[3], TensorCoreProblem.Of<NarrowTile, TNumbers>(s), numbers);
        }
    }
}
