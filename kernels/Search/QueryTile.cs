using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// <see cref="PackedTile{T}"/> for the queries of a panel that is not full: four queries, and one, by two vectors of rows. A pair's sum is the same chain of multiply-adds, so its bits are the
/// same too. A step of k reads 128 bytes of rows for 2 multiply-adds a query with AVX-512: alone, or beside three others, a query waits for memory, not for arithmetic.
/// </summary>
internal static unsafe class QueryTile
{
    /// <summary>Σ_k a[k·Rows + i]·b[k·Columns + j] for the first queries i of a panel, to or (<paramref name="add"/>) onto c[i·Columns + j].</summary>
    /// <param name="queries">1 … <see cref="PackedTile{T}.Rows"/>; c has room for all of them.</param>
    /// <param name="ahead">As of <see cref="PackedTile{T}.Multiply"/>, where nearly all queries are there.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(int queries, float* a, float* b, int depth, float* c, bool add, float* ahead)
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply<Vector512<float>, PackedVector512<float>>(queries, a, b, depth, c, add, ahead);
        else if (Vector256.IsHardwareAccelerated)
            Multiply<Vector256<float>, PackedVector256<float>>(queries, a, b, depth, c, add, ahead);
        else
            Multiply<Vector128<float>, PackedVector128<float>>(queries, a, b, depth, c, add, ahead);
    }

    private static void Multiply<TVector, TOps>(int queries, float* a, float* b, int depth, float* c, bool add, float* ahead)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, float>
    {
        int rows = PackedTile<float>.Rows, columns = PackedTile<float>.Columns, i = 0;
        if (4 * queries > 3 * rows)
        {
            PackedTile<float>.Multiply(a, b, depth, c, columns, add ? TileStart.Added : TileStart.Zero, ahead);
            return;
        }
        // Two or three go as four: what lies behind them in the panel is not used.
        for (; queries - i > 1; i += 4)
            Multiply4<TVector, TOps>(a + i, rows, b, depth, c + i * columns, add);
        if (i < queries)
            Multiply1<TVector, TOps>(a + i, rows, b, depth, c + i * columns, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply4<TVector, TOps>(float* a, int step, float* b, int depth, float* c, bool add)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, float>
    {
        TVector c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        int width = TOps.Count, stride = 2 * width;
        for (int k = 0; k < depth; k++, a += step, b += stride)
        {
            TVector b0 = TOps.Load(b), b1 = TOps.Load(b + width), x;
            x = TOps.Broadcast(a[0]);
            c00 = TOps.MultiplyAdd(x, b0, c00);
            c01 = TOps.MultiplyAdd(x, b1, c01);
            x = TOps.Broadcast(a[1]);
            c10 = TOps.MultiplyAdd(x, b0, c10);
            c11 = TOps.MultiplyAdd(x, b1, c11);
            x = TOps.Broadcast(a[2]);
            c20 = TOps.MultiplyAdd(x, b0, c20);
            c21 = TOps.MultiplyAdd(x, b1, c21);
            x = TOps.Broadcast(a[3]);
            c30 = TOps.MultiplyAdd(x, b0, c30);
            c31 = TOps.MultiplyAdd(x, b1, c31);
        }
        if (add)
        {
            c00 = TOps.Add(c00, TOps.Load(c)); c01 = TOps.Add(c01, TOps.Load(c + width));
            c10 = TOps.Add(c10, TOps.Load(c + stride)); c11 = TOps.Add(c11, TOps.Load(c + stride + width));
            c20 = TOps.Add(c20, TOps.Load(c + 2 * stride)); c21 = TOps.Add(c21, TOps.Load(c + 2 * stride + width));
            c30 = TOps.Add(c30, TOps.Load(c + 3 * stride)); c31 = TOps.Add(c31, TOps.Load(c + 3 * stride + width));
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply1<TVector, TOps>(float* a, int step, float* b, int depth, float* c, bool add)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, float>
    {
        TVector c0 = default, c1 = default;
        int width = TOps.Count;
        for (int k = 0; k < depth; k++, a += step, b += 2 * width)
        {
            var x = TOps.Broadcast(*a);
            c0 = TOps.MultiplyAdd(x, TOps.Load(b), c0);
            c1 = TOps.MultiplyAdd(x, TOps.Load(b + width), c1);
        }
        if (add)
        {
            c0 = TOps.Add(c0, TOps.Load(c));
            c1 = TOps.Add(c1, TOps.Load(c + width));
        }
        TOps.Store(c0, c);
        TOps.Store(c1, c + width);
    }
}
