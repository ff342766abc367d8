using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Gemm
{
    /// <summary>The variant for tensor cores for a tile and kind of numbers.</summary>
    private static class TensorCore<TTile, TNumbers>
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        // Slices of k make blocks enough, so the columns alone decide.
        public static readonly Variant<GemmShape> Multiply = new(
            TensorTile<TTile, TNumbers>.Name,
            VariantKind.TensorCore,
            new Preparation<GemmShape>(Prepared, Prepare, Run),
            Workspace,
            Refuses,
            TensorCoreGemm<TTile, TNumbers>.Kernel, PartialSums.Kernel, TensorOperand<TNumbers>.Pack)
        {
            Precision = default(TNumbers).Precision,
        };

        private static string? Refuses(GemmShape s)
        {
            if (s.Exact != 0)
                return "rounds its inputs";
            return (long)TensorGemm.Of<TTile, TNumbers>(s).Slices * s.M * s.N > int.MaxValue
                ? "takes fewer rows, whose slices have at most 2³¹ − 1 numbers"
                : TensorTile<TTile, TNumbers>.Refuses(int.MaxValue, s.N);
        }

        private static long Prepared(Device device, GemmShape s) => TensorOperand<TNumbers>.Prepared(TensorGemm.PackB<TNumbers>(s));

        private static void Prepare(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => TensorOperand<TNumbers>.Take(device, TensorGemm.PackB<TNumbers>(s), v[1], v[1], ref prepared);

        private static long Workspace(Device device, GemmShape s)
        {
            int slices = TensorGemm.Of<TTile, TNumbers>(s).Slices;
            return TensorOperand<TNumbers>.Floats(TensorGemm.PackA<TNumbers>(s)) + (slices > 1 ? (long)slices * s.M * s.N : 0);
        }

        private static void Run(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
        {
            if (s.M == 0)
                return;
            var p = TensorGemm.Of<TTile, TNumbers>(s);
            var a = TensorOperand<TNumbers>.Take(device, TensorGemm.PackA<TNumbers>(s), v[0], v[0], ref workspace);
            var b = TensorOperand<TNumbers>.Taken(TensorGemm.PackB<TNumbers>(s), v[1], prepared);
            TensorCoreGemm<TTile, TNumbers>.Kernel.On(device)(TensorTile<TTile, TNumbers>.Blocks(s.M, s.N, p.Slices), a, b, p.Slices > 1 ? workspace : v[2], p);
            if (p.Slices > 1)
                PartialSums.Run(device, workspace, v[2], s.M * s.N, p.Slices);
        }
    }
}
