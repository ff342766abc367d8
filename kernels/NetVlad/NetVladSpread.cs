using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The operands of dx̂_i = Σ_k a_ik dV_k + Σ_k ds_ik w_k as one matrix product an image, in tf32 with parts (<see cref="Tf32Parts"/>):
/// <code>
/// rows [B,N,5K]     a₁ a₂ a₁ ds₁ ds₂      a = a₁ + a₂, ds = ds₁ + ds₂
/// columns [B,D,5K]  v₁ v₁ v₂ w   w        dV = v₁ + v₂; a₂·v₂ is 2⁻²² of the product
/// </code>
/// One thread makes the five numbers of a row and cluster, or of a channel and cluster; 28 bytes each.
/// </summary>
internal static class NetVladSpread
{
    private const int Threads = 256;

    /// <summary>Numbers of a cluster.</summary>
    public const int Length = 5;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Rows =
        new("netvlad.spread-rows", RowsKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(RowsKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Columns =
        new("netvlad.spread-columns", ColumnsKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(ColumnsKernel));

    /// <summary>Floats of one operand, a multiple of 4.</summary>
    /// <param name="lines">N for rows, D for columns.</param>
    public static long Floats(in NetVladShape s, int lines) => ((long)Length * s.B * lines * s.K + 3) / 4 * 4;

    public static void Run(
        Device device, in NetVladShape s, ArrayView<float> a, ArrayView<float> residual, ArrayView<float> ds, ArrayView<float> w, ArrayView<float> rows, ArrayView<float> columns)
    {
        Rows.On(device)(new KernelConfig((s.B * s.N * s.K + Threads - 1) / Threads, Threads), a, ds, rows, s);
        Columns.On(device)(new KernelConfig((s.B * s.D * s.K + Threads - 1) / Threads, Threads), residual, w, columns, s);
    }

    private static void RowsKernel(ArrayView<float> a, ArrayView<float> ds, ArrayView<float> rows, NetVladShape s)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= s.B * s.N * s.K)
            return;
        int at = index / s.K * Length * s.K + index % s.K;
        float first = Tf32Parts.First(a[index]), firstLogit = Tf32Parts.First(ds[index]);
        rows[at] = first;
        rows[at + s.K] = a[index] - first;
        rows[at + 2 * s.K] = first;
        rows[at + 3 * s.K] = firstLogit;
        rows[at + 4 * s.K] = ds[index] - firstLogit;
    }

    private static void ColumnsKernel(ArrayView<float> residual, ArrayView<float> w, ArrayView<float> columns, NetVladShape s)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= s.B * s.D * s.K)
            return;
        int k = index % s.K, channel = index / s.K, image = channel / s.D, d = channel % s.D, at = channel * Length * s.K + k;
        float value = residual[(image * s.K + k) * s.D + d], first = Tf32Parts.First(value), weight = w[k * s.D + d];
        columns[at] = first;
        columns[at + s.K] = first;
        columns[at + 2 * s.K] = value - first;
        columns[at + 3 * s.K] = weight;
        columns[at + 4 * s.K] = weight;
    }
}
