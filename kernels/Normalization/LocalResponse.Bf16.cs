using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class LocalResponse
{
    private static void ForwardBf16(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Pairs.Forward.On(device)(Pairs.Blocks(s), v[0], v[1], s);
    }

    private static void BackwardBf16(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Pairs.Backward.On(device)(Pairs.Blocks(s), v[0], v[1], v[2], s);
    }

    /// <summary>
    /// Maps of which some are rows of bf16: one thread two neighbouring channels, whose windows but for their ends are the same. Sums are fp32, in the order of the channels as those of fp32 maps, and rounded once when
    /// they are written.
    /// </summary>
    private static class Pairs
    {
        private const int Threads = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, LocalResponseShape>> Forward =
            new("local-response.forward.bf16", ForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, LocalResponseShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, LocalResponseShape>> Backward =
            new("local-response.backward.bf16", BackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, LocalResponseShape>(BackwardKernel));

        public static KernelConfig Blocks(in LocalResponseShape s) => new((s.Pixels * Bf16Rows.RowFloats(s.C) + Threads - 1) / Threads, Threads);

        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> y, LocalResponseShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, row = Bf16Rows.RowFloats(s.C), pixel = index / row, c = index % row * 2;
            if (pixel >= s.Pixels)
                return;
            var own = c < s.C ? Bf16Rows.Load(x, s.XBf16, pixel, c, s.C) : new MapPair();
            float first = own.First * Simt.Power(Scale(x, s, pixel, c), s.Beta), second = own.Second * Simt.Power(Scale(x, s, pixel, c + 1), s.Beta);
            Bf16Rows.Store(y, s.YBf16, pixel, c, s.C, first, second);
        }

        private static void BackwardKernel(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, LocalResponseShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, row = Bf16Rows.RowFloats(s.C), pixel = index / row, c = index % row * 2, half = s.Size / 2;
            if (pixel >= s.Pixels)
                return;
            float first = 0, second = 0;
            for (int j = c < half ? 0 : c - half; j < s.C && j <= c + 1 + half; j++)
            {
                float scale = Scale(x, s, pixel, j), term = Number(dy, s.YBf16, s, pixel, j) * Number(x, s.XBf16, s, pixel, j), power = PtxMath.Divide(Simt.Power(scale, s.Beta), scale);
                first = j <= c + half ? PtxMath.Fma(term, power, first) : first;
                second = j >= c + 1 - half ? PtxMath.Fma(term, power, second) : second;
            }
            MapPair own = new(), gradient = new();
            if (c < s.C)
            {
                own = Bf16Rows.Load(x, s.XBf16, pixel, c, s.C);
                gradient = Bf16Rows.Load(dy, s.YBf16, pixel, c, s.C);
            }
            float factor = 2 * s.AlphaOverN * s.Beta;
            first = gradient.First * Simt.Power(Scale(x, s, pixel, c), s.Beta) - factor * own.First * first;
            second = gradient.Second * Simt.Power(Scale(x, s, pixel, c + 1), s.Beta) - factor * own.Second * second;
            Bf16Rows.Store(dx, s.XBf16, pixel, c, s.C, first, second);
        }

        private static float Scale(ArrayView<float> x, LocalResponseShape s, int pixel, int c)
        {
            int half = s.Size / 2;
            float square = 0;
            for (int j = c < half ? 0 : c - half; j < s.C && j <= c + half; j++)
            {
                float value = Number(x, s.XBf16, s, pixel, j);
                square = PtxMath.Fma(value, value, square);
            }
            return s.K + s.AlphaOverN * square;
        }

        private static float Number(ArrayView<float> map, int bf16, in LocalResponseShape s, int pixel, int c)
        {
            var pair = Bf16Rows.Load(map, bf16, pixel, c & ~1, s.C);
            return (c & 1) == 0 ? pair.First : pair.Second;
        }
    }
}
