using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class MaxPooling
{
    private static void ForwardBf16(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        int pairs = s.B * s.P * s.Q * Pairs.Of(s);
        if (s.B > 0)
            Pairs.Forward.On(device)(new KernelConfig((pairs + Pairs.Threads - 1) / Pairs.Threads, Pairs.Threads), v[0], v[1], s);
    }

    private static void BackwardBf16(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        int pairs = s.B * s.H * s.W * Pairs.Of(s);
        if (s.B > 0)
            Pairs.Backward.On(device)(new KernelConfig((pairs + Pairs.Threads - 1) / Pairs.Threads, Pairs.Threads), v[0], v[1], v[2], s);
    }

    /// <summary>
    /// Maps of which some are rows of bf16: one thread two neighbouring channels, so that a warp moves 128 bytes of bf16 at once. Sums of gradients are fp32, rounded once when they are written.
    /// </summary>
    private static class Pairs
    {
        public const int Threads = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, PoolingShape>> Forward =
            new("max-pooling.forward.bf16", ForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, PoolingShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, PoolingShape>> Backward =
            new("max-pooling.backward.bf16", BackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, PoolingShape>(BackwardKernel));

        /// <summary>Pairs of a pixel, with those that fill up a row of bf16.</summary>
        public static int Of(in PoolingShape s) => Bf16Rows.RowFloats(s.C);

        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> y, PoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, pair = index % Of(s), pixel = index / Of(s);
            if (pixel >= s.B * s.P * s.Q)
                return;
            int q = pixel % s.Q, p = pixel / s.Q % s.P, image = pixel / s.Q / s.P, h0 = p * s.Stride, w0 = q * s.Stride;
            var largest = Load(x, s, (image * s.H + h0) * s.W + w0, pair);
            for (int h = h0; h < h0 + s.Window && h < s.H; h++)
                for (int w = w0; w < w0 + s.Window && w < s.W; w++)
                {
                    var other = Load(x, s, (image * s.H + h) * s.W + w, pair);
                    largest.First = Beats(other.First, largest.First) ? other.First : largest.First;
                    largest.Second = Beats(other.Second, largest.Second) ? other.Second : largest.Second;
                }
            Bf16Rows.Store(y, s.YBf16, pixel, 2 * pair, s.C, largest.First, largest.Second);
        }

        private static void BackwardKernel(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, PoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, pair = index % Of(s), pixel = index / Of(s);
            if (pixel >= s.B * s.H * s.W)
                return;
            int w = pixel % s.W, h = pixel / s.W % s.H, image = pixel / s.W / s.H;
            int firstP = h < s.Window ? 0 : (h - s.Window) / s.Stride + 1, firstQ = w < s.Window ? 0 : (w - s.Window) / s.Stride + 1;
            var own = Load(x, s, pixel, pair);
            var sum = new MapPair();
            for (int p = firstP; p < s.P && p * s.Stride <= h; p++)
                for (int q = firstQ; q < s.Q && q * s.Stride <= w; q++)
                {
                    // The first maximum of the window: it beats all before it, and none behind it beats it.
                    bool first = true, second = true;
                    for (int row = p * s.Stride; row < p * s.Stride + s.Window && row < s.H; row++)
                        for (int column = q * s.Stride; column < q * s.Stride + s.Window && column < s.W; column++)
                        {
                            int at = (image * s.H + row) * s.W + column;
                            var other = Load(x, s, at, pair);
                            first &= at < pixel ? Beats(own.First, other.First) : !Beats(other.First, own.First);
                            second &= at < pixel ? Beats(own.Second, other.Second) : !Beats(other.Second, own.Second);
                        }
                    var gradient = 2 * pair < s.C ? Bf16Rows.Load(dy, s.YBf16, (image * s.P + p) * s.Q + q, 2 * pair, s.C) : new MapPair();
                    sum.First += first ? gradient.First : 0;
                    sum.Second += second ? gradient.Second : 0;
                }
            Bf16Rows.Store(dx, s.XBf16, pixel, 2 * pair, s.C, sum.First, sum.Second);
        }

        private static MapPair Load(ArrayView<float> x, in PoolingShape s, int pixel, int pair)
            => 2 * pair < s.C ? Bf16Rows.Load(x, s.XBf16, pixel, 2 * pair, s.C) : new MapPair();

        private static bool Beats(float a, float b) => a > b || (float.IsNaN(a) && !float.IsNaN(b));
    }
}
