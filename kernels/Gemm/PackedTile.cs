using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>What becomes of a tile of C when a piece of k has been multiplied.</summary>
internal enum TileStart
{
    /// <summary>c = Σ: the first piece.</summary>
    Zero,

    /// <summary>The sums go on from c: each number is one chain over all of k, in order.</summary>
    Continued,

    /// <summary>c += Σ: each piece's sum begins at zero, so its rounding grows with √piece + √pieces, not with √k.</summary>
    Added,
}

/// <summary>
/// The register tile of products whose operands are both packed: 12 rows × 2 vectors of C with AVX-512 (24 accumulators + 2 + 1 of 32 registers), 6 × 2 elsewhere (12 + 2 + 1 of 16).
/// A step of k loads 2 vectors of B's panel [k][2 vectors] and broadcasts 12 numbers of A's panel [k][12] for 24 multiply-adds: of the second-level cache it takes 7 bytes a cycle at
/// most, so neither panel has to stay in the first.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
internal static unsafe class PackedTile<T>
    where T : unmanaged
{
    /// <summary>Rows of C in a tile: the width of a panel of A.</summary>
    public static int Rows => Vector512.IsHardwareAccelerated ? 12 : 6;

    /// <summary>Columns of C in a tile: the width of a panel of B.</summary>
    public static int Columns => 2 * (Vector512.IsHardwareAccelerated ? 64 : Vector256.IsHardwareAccelerated ? 32 : 16) / sizeof(T);

    /// <summary>c[i·stride + j] from Σ_k a[k·Rows + i]·b[k·Columns + j], as <paramref name="start"/> says.</summary>
    /// <param name="ahead">With AVX-512, where not null: a line from there on is asked for every <see cref="StepsAhead"/> steps of k.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(T* a, T* b, int depth, T* c, nint stride, TileStart start, T* ahead = null)
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply12<Vector512<T>, PackedVector512<T>>(a, b, depth, c, stride, start, ahead == null ? a : ahead);
        else if (Vector256.IsHardwareAccelerated)
            Multiply6<Vector256<T>, PackedVector256<T>>(a, b, depth, c, stride, start);
        else
            Multiply6<Vector128<T>, PackedVector128<T>>(a, b, depth, c, stride, start);
    }

    /// <summary>Has a tile of C brought to the second-level cache while the one before it is multiplied; in the first its rows would meet in few sets where they lie a power of two apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(T* c, nint stride)
    {
        if (!Sse.IsSupported)
            return;
        int bytes = Columns * sizeof(T);
        for (int i = 0; i < Rows; i++, c += stride)
            for (int at = 0; at < bytes; at += 64)
                Sse.Prefetch1((byte*)c + at);
    }

    /// <summary>Tiles that end before what they asked for is there.</summary>
    private const int FewTiles = 8;

    /// <summary>
    /// Numbers of the next panel of B to ask for beside each of so many tiles that share the one before it: it comes from memory or the cache of all cores, and while the first tile would wait
    /// for it, nothing is multiplied. 0, nothing, for few tiles.
    /// </summary>
    public static int Ahead(int tiles, int depth)
    {
        int line = HostPrefetch.Line * sizeof(float) / sizeof(T);
        return tiles < FewTiles ? 0 : (Columns * depth / line + tiles - 1) / tiles * line;
    }

    /// <summary>
    /// Has a part of the next panel of B and this tile's sums, which stand together, brought to the second-level cache while the tile is multiplied. With AVX-512 nothing: there
    /// <see cref="Multiply"/> asks for the panel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(T* next, int length, T* c)
    {
        if (Vector512.IsHardwareAccelerated)
            return;
        HostPrefetch.Far((float*)next, (long)length * sizeof(T) / sizeof(float));
        HostPrefetch.Far((float*)c, (long)Rows * Columns * sizeof(T) / sizeof(float));
    }

    /// <summary>
    /// Steps of k between two lines that <see cref="Multiply12"/> asks for. Not all before the first step: lines from memory hold the dozen places that a core has for misses, which this tile's own
    /// loads from the second-level cache need too. Search of 4096 numbers on two cores with AVX-512 took 0.97 of the time so, and 0.90 with the lines spread.
    /// </summary>
    private const int StepsAhead = 8;

    /// <summary>Steps of k in a turn of <see cref="Multiply6"/>'s loop: with one, its pace in the L1 cache was 0.75 to 0.86 of the peak, by where the compiler had placed it; with two and more 0.90.</summary>
    private const int Unrolled = 4;

    // No call may stand in a tile's method: the JIT would keep every accumulator in memory for it, inside the loop too.

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply12<TVector, TOps>(T* a, T* b, int depth, T* c, nint stride, TileStart start, T* ahead)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, T>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71, c80, c81, c90, c91, ca0, ca1, cb0, cb1;
        int width = TOps.Count;
        if (start == TileStart.Continued)
        {
            c00 = TOps.Load(c); c01 = TOps.Load(c + width);
            c10 = TOps.Load(c + stride); c11 = TOps.Load(c + stride + width);
            c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width);
            c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width);
            c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width);
            c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width);
            c60 = TOps.Load(c + 6 * stride); c61 = TOps.Load(c + 6 * stride + width);
            c70 = TOps.Load(c + 7 * stride); c71 = TOps.Load(c + 7 * stride + width);
            c80 = TOps.Load(c + 8 * stride); c81 = TOps.Load(c + 8 * stride + width);
            c90 = TOps.Load(c + 9 * stride); c91 = TOps.Load(c + 9 * stride + width);
            ca0 = TOps.Load(c + 10 * stride); ca1 = TOps.Load(c + 10 * stride + width);
            cb0 = TOps.Load(c + 11 * stride); cb1 = TOps.Load(c + 11 * stride + width);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = c60 = c61 = c70 = c71 = c80 = c81 = c90 = c91 = ca0 = ca1 = cb0 = cb1 = default;
        }
        for (int k = 0, end; k < depth; ahead += HostPrefetch.Line * sizeof(float) / sizeof(T))
        {
            HostPrefetch.Far((float*)ahead);
            end = Math.Min(k + StepsAhead, depth);
            for (; k < end; k++, a += 12, b += 2 * width)
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
                x = TOps.Broadcast(a[4]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                c41 = TOps.MultiplyAdd(x, b1, c41);
                x = TOps.Broadcast(a[5]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
                c51 = TOps.MultiplyAdd(x, b1, c51);
                x = TOps.Broadcast(a[6]);
                c60 = TOps.MultiplyAdd(x, b0, c60);
                c61 = TOps.MultiplyAdd(x, b1, c61);
                x = TOps.Broadcast(a[7]);
                c70 = TOps.MultiplyAdd(x, b0, c70);
                c71 = TOps.MultiplyAdd(x, b1, c71);
                x = TOps.Broadcast(a[8]);
                c80 = TOps.MultiplyAdd(x, b0, c80);
                c81 = TOps.MultiplyAdd(x, b1, c81);
                x = TOps.Broadcast(a[9]);
                c90 = TOps.MultiplyAdd(x, b0, c90);
                c91 = TOps.MultiplyAdd(x, b1, c91);
                x = TOps.Broadcast(a[10]);
                ca0 = TOps.MultiplyAdd(x, b0, ca0);
                ca1 = TOps.MultiplyAdd(x, b1, ca1);
                x = TOps.Broadcast(a[11]);
                cb0 = TOps.MultiplyAdd(x, b0, cb0);
                cb1 = TOps.MultiplyAdd(x, b1, cb1);
            }
        }
        if (start == TileStart.Added)
        {
            c00 = TOps.Add(c00, TOps.Load(c)); c01 = TOps.Add(c01, TOps.Load(c + width));
            c10 = TOps.Add(c10, TOps.Load(c + stride)); c11 = TOps.Add(c11, TOps.Load(c + stride + width));
            c20 = TOps.Add(c20, TOps.Load(c + 2 * stride)); c21 = TOps.Add(c21, TOps.Load(c + 2 * stride + width));
            c30 = TOps.Add(c30, TOps.Load(c + 3 * stride)); c31 = TOps.Add(c31, TOps.Load(c + 3 * stride + width));
            c40 = TOps.Add(c40, TOps.Load(c + 4 * stride)); c41 = TOps.Add(c41, TOps.Load(c + 4 * stride + width));
            c50 = TOps.Add(c50, TOps.Load(c + 5 * stride)); c51 = TOps.Add(c51, TOps.Load(c + 5 * stride + width));
            c60 = TOps.Add(c60, TOps.Load(c + 6 * stride)); c61 = TOps.Add(c61, TOps.Load(c + 6 * stride + width));
            c70 = TOps.Add(c70, TOps.Load(c + 7 * stride)); c71 = TOps.Add(c71, TOps.Load(c + 7 * stride + width));
            c80 = TOps.Add(c80, TOps.Load(c + 8 * stride)); c81 = TOps.Add(c81, TOps.Load(c + 8 * stride + width));
            c90 = TOps.Add(c90, TOps.Load(c + 9 * stride)); c91 = TOps.Add(c91, TOps.Load(c + 9 * stride + width));
            ca0 = TOps.Add(ca0, TOps.Load(c + 10 * stride)); ca1 = TOps.Add(ca1, TOps.Load(c + 10 * stride + width));
            cb0 = TOps.Add(cb0, TOps.Load(c + 11 * stride)); cb1 = TOps.Add(cb1, TOps.Load(c + 11 * stride + width));
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width);
        TOps.Store(c60, c + 6 * stride); TOps.Store(c61, c + 6 * stride + width);
        TOps.Store(c70, c + 7 * stride); TOps.Store(c71, c + 7 * stride + width);
        TOps.Store(c80, c + 8 * stride); TOps.Store(c81, c + 8 * stride + width);
        TOps.Store(c90, c + 9 * stride); TOps.Store(c91, c + 9 * stride + width);
        TOps.Store(ca0, c + 10 * stride); TOps.Store(ca1, c + 10 * stride + width);
        TOps.Store(cb0, c + 11 * stride); TOps.Store(cb1, c + 11 * stride + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply6<TVector, TOps>(T* a, T* b, int depth, T* c, nint stride, TileStart start)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, T>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        int width = TOps.Count;
        if (start == TileStart.Continued)
        {
            c00 = TOps.Load(c); c01 = TOps.Load(c + width);
            c10 = TOps.Load(c + stride); c11 = TOps.Load(c + stride + width);
            c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width);
            c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width);
            c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width);
            c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        }
        int k = 0;
        for (; k <= depth - Unrolled; k += Unrolled, a += 6 * Unrolled, b += 2 * Unrolled * width)
        {
            Step6<TVector, TOps>(a, b, 0, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            Step6<TVector, TOps>(a, b, 1, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            Step6<TVector, TOps>(a, b, 2, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            Step6<TVector, TOps>(a, b, 3, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
        }
        for (; k < depth; k++, a += 6, b += 2 * width)
            Step6<TVector, TOps>(a, b, 0, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
        if (start == TileStart.Added)
        {
            c00 = TOps.Add(c00, TOps.Load(c)); c01 = TOps.Add(c01, TOps.Load(c + width));
            c10 = TOps.Add(c10, TOps.Load(c + stride)); c11 = TOps.Add(c11, TOps.Load(c + stride + width));
            c20 = TOps.Add(c20, TOps.Load(c + 2 * stride)); c21 = TOps.Add(c21, TOps.Load(c + 2 * stride + width));
            c30 = TOps.Add(c30, TOps.Load(c + 3 * stride)); c31 = TOps.Add(c31, TOps.Load(c + 3 * stride + width));
            c40 = TOps.Add(c40, TOps.Load(c + 4 * stride)); c41 = TOps.Add(c41, TOps.Load(c + 4 * stride + width));
            c50 = TOps.Add(c50, TOps.Load(c + 5 * stride)); c51 = TOps.Add(c51, TOps.Load(c + 5 * stride + width));
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width);
    }

    /// <summary>One step of k.</summary>
    /// <param name="step">A constant: so it is a part of the instructions' addresses.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step6<TVector, TOps>(T* a, T* b, int step, ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21,
        ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51)
        where TVector : struct
        where TOps : struct, IPackedVector<TVector, T>
    {
        TVector b0 = TOps.Load(b + 2 * step * TOps.Count), b1 = TOps.Load(b + (2 * step + 1) * TOps.Count), x;
        x = TOps.Broadcast(a[6 * step + 0]);
        c00 = TOps.MultiplyAdd(x, b0, c00);
        c01 = TOps.MultiplyAdd(x, b1, c01);
        x = TOps.Broadcast(a[6 * step + 1]);
        c10 = TOps.MultiplyAdd(x, b0, c10);
        c11 = TOps.MultiplyAdd(x, b1, c11);
        x = TOps.Broadcast(a[6 * step + 2]);
        c20 = TOps.MultiplyAdd(x, b0, c20);
        c21 = TOps.MultiplyAdd(x, b1, c21);
        x = TOps.Broadcast(a[6 * step + 3]);
        c30 = TOps.MultiplyAdd(x, b0, c30);
        c31 = TOps.MultiplyAdd(x, b1, c31);
        x = TOps.Broadcast(a[6 * step + 4]);
        c40 = TOps.MultiplyAdd(x, b0, c40);
        c41 = TOps.MultiplyAdd(x, b1, c41);
        x = TOps.Broadcast(a[6 * step + 5]);
        c50 = TOps.MultiplyAdd(x, b0, c50);
        c51 = TOps.MultiplyAdd(x, b1, c51);
    }
}
