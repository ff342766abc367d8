using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Turns rows of a matrix into columns of a panel, next to the core. Where a matrix is used for few rows of the product this, and not the product, takes the
/// time: so 4×4 numbers are turned in registers, and the next four rows, too far apart for the processor to foresee them, are fetched ahead.
/// </summary>
internal static unsafe class HostTranspose
{
    /// <summary>Rows of the panel in one go: they stay in the L1 cache while all columns are written into them.</summary>
    private const int Block = 64;

    /// <summary>to[i·width + j] = from[j·stride + i] for j below <paramref name="used"/>, 0 for the panel's other columns.</summary>
    /// <param name="depth">Rows of the panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToPanel(float* from, long stride, int used, float* to, int width, int depth)
    {
        for (int block = 0; block < depth; block += Block, from += Block, to += (long)Block * width)
        {
            int steps = Math.Min(Block, depth - block), column = 0;
            if (Sse.IsSupported)
                for (; column <= used - 4; column += 4)
                    FourColumns(from + column * stride, stride, to + column, width, steps);
            for (; column < used; column++)
                for (int i = 0; i < steps; i++)
                    to[i * width + column] = from[column * stride + i];
            if (column < width)
                for (int i = 0; i < steps; i++)
                    new Span<float>(to + i * width + column, width - column).Clear();
        }
    }

    /// <summary>to[i·width + j] = from[j·stride + i] for four columns j and so many steps i; with SSE.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourColumns(float* from, long stride, float* to, int width, int steps)
    {
        float* a = from, b = a + stride, c = b + stride, d = c + stride;
        int i = 0;
        for (; i <= steps - 4; i += 4)
        {
            // Of four steps that share a cache line, each fetches it from another of the next rows.
            Sse.Prefetch0(from + (4 + (i >> 2 & 3)) * stride + (i & ~15));
            Vector128<float> r0 = Vector128.Load(a + i), r1 = Vector128.Load(b + i), r2 = Vector128.Load(c + i), r3 = Vector128.Load(d + i);
            Vector128<float> low01 = Sse.UnpackLow(r0, r1), low23 = Sse.UnpackLow(r2, r3), high01 = Sse.UnpackHigh(r0, r1), high23 = Sse.UnpackHigh(r2, r3);
            float* row = to + i * width;
            Sse.MoveLowToHigh(low01, low23).Store(row);
            Sse.MoveHighToLow(low23, low01).Store(row + width);
            Sse.MoveLowToHigh(high01, high23).Store(row + 2 * width);
            Sse.MoveHighToLow(high23, high01).Store(row + 3 * width);
        }
        for (; i < steps; i++)
        {
            float* row = to + i * width;
            row[0] = a[i];
            row[1] = b[i];
            row[2] = c[i];
            row[3] = d[i];
        }
    }
}
