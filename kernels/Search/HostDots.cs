using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Dot products of rows with rows, both contiguous along D, so that nothing is packed: vector lanes run along D, a tile of 4 × 6 sums
/// (AVX-512: 24 accumulators, 10 loads for 24 fused multiply-adds) or 4 × 2 stands in registers over a chunk of D and is then added up across
/// its lanes. One pair's order of summation is fixed by D alone. Rows past the end of a tile are stood in for by the last row.
/// </summary>
internal static unsafe class HostDots
{
    private const int Chunk = 1024, TileQueries = 4;

    private static int Lanes => Vector512.IsHardwareAccelerated ? 16 : 8;

    private static int TileRows => Vector512.IsHardwareAccelerated ? 6 : 2;

    /// <summary>dots[q·stride + r] = queries[q]·database[r]. The rows of dots are written up to the next multiple of 4, the columns to that of 6.</summary>
    public static void Block(float* queries, int queryCount, float* database, int rowCount, int length, float* dots, int stride)
    {
        new Span<float>(dots, (queryCount + TileQueries - 1) / TileQueries * TileQueries * stride).Clear();
        for (int from = 0; from < length; from += Chunk)
        {
            int count = Math.Min(Chunk, length - from), tail = count % Lanes;
            for (int r = 0; r < rowCount; r += TileRows)
                for (int q = 0; q < queryCount; q += TileQueries)
                {
                    float* tile = dots + q * stride + r;
                    if (Vector512.IsHardwareAccelerated)
                        Tile512(queries + from, q, queryCount - 1, database + from, r, rowCount - 1, length, count, tile, stride);
                    else
                        Tile256(queries + from, q, queryCount - 1, database + from, r, rowCount - 1, length, count, tile, stride);
                }
            for (int q = 0; tail > 0 && q < queryCount; q++)
                for (int r = 0; r < rowCount; r++)
                    dots[q * stride + r] += Tail(queries + (long)q * length + from, database + (long)r * length + from, count - tail, count);
        }
    }

    /// <summary>‖row‖², bit-equal to the row's dot product with itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SquaredNorm(float* row, int length)
    {
        float norm = 0;
        for (int from = 0; from < length; from += Chunk)
        {
            float* x = row + from;
            int count = Math.Min(Chunk, length - from), i = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<float> lanes = default;
                for (; i <= count - 16; i += 16)
                    lanes = Vector512.MultiplyAddEstimate(Vector512.Load(x + i), Vector512.Load(x + i), lanes);
                norm += Vector512.Sum(lanes);
            }
            else
            {
                Vector256<float> lanes = default;
                for (; i <= count - 8; i += 8)
                    lanes = Vector256.MultiplyAddEstimate(Vector256.Load(x + i), Vector256.Load(x + i), lanes);
                norm += Vector256.Sum(lanes);
            }
            if (i < count)
                norm += Tail(x, x, i, count);
        }
        return norm;
    }

    private static float Tail(float* a, float* b, int from, int count)
    {
        float sum = 0;
        for (int i = from; i < count; i++)
            sum += a[i] * b[i];
        return sum;
    }

    // No call may stand in a tile's method: the JIT would keep every accumulator in memory for it, inside the loop too.

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile512(float* queries, int q, int lastQuery, float* database, int r, int lastRow, int stride, int count, float* to, int toStride)
    {
        float* q0 = queries + (long)q * stride, q1 = queries + (long)Math.Min(q + 1, lastQuery) * stride;
        float* q2 = queries + (long)Math.Min(q + 2, lastQuery) * stride, q3 = queries + (long)Math.Min(q + 3, lastQuery) * stride;
        float* d0 = database + (long)r * stride, d1 = database + (long)Math.Min(r + 1, lastRow) * stride;
        float* d2 = database + (long)Math.Min(r + 2, lastRow) * stride, d3 = database + (long)Math.Min(r + 3, lastRow) * stride;
        float* d4 = database + (long)Math.Min(r + 4, lastRow) * stride, d5 = database + (long)Math.Min(r + 5, lastRow) * stride;
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default, s04 = default, s05 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default, s14 = default, s15 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default, s24 = default, s25 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default, s34 = default, s35 = default;
        for (int i = 0; i <= count - 16; i += 16)
        {
            var b0 = Vector512.Load(d0 + i);
            var b1 = Vector512.Load(d1 + i);
            var b2 = Vector512.Load(d2 + i);
            var b3 = Vector512.Load(d3 + i);
            var b4 = Vector512.Load(d4 + i);
            var b5 = Vector512.Load(d5 + i);
            var a = Vector512.Load(q0 + i);
            s00 = Vector512.MultiplyAddEstimate(a, b0, s00);
            s01 = Vector512.MultiplyAddEstimate(a, b1, s01);
            s02 = Vector512.MultiplyAddEstimate(a, b2, s02);
            s03 = Vector512.MultiplyAddEstimate(a, b3, s03);
            s04 = Vector512.MultiplyAddEstimate(a, b4, s04);
            s05 = Vector512.MultiplyAddEstimate(a, b5, s05);
            a = Vector512.Load(q1 + i);
            s10 = Vector512.MultiplyAddEstimate(a, b0, s10);
            s11 = Vector512.MultiplyAddEstimate(a, b1, s11);
            s12 = Vector512.MultiplyAddEstimate(a, b2, s12);
            s13 = Vector512.MultiplyAddEstimate(a, b3, s13);
            s14 = Vector512.MultiplyAddEstimate(a, b4, s14);
            s15 = Vector512.MultiplyAddEstimate(a, b5, s15);
            a = Vector512.Load(q2 + i);
            s20 = Vector512.MultiplyAddEstimate(a, b0, s20);
            s21 = Vector512.MultiplyAddEstimate(a, b1, s21);
            s22 = Vector512.MultiplyAddEstimate(a, b2, s22);
            s23 = Vector512.MultiplyAddEstimate(a, b3, s23);
            s24 = Vector512.MultiplyAddEstimate(a, b4, s24);
            s25 = Vector512.MultiplyAddEstimate(a, b5, s25);
            a = Vector512.Load(q3 + i);
            s30 = Vector512.MultiplyAddEstimate(a, b0, s30);
            s31 = Vector512.MultiplyAddEstimate(a, b1, s31);
            s32 = Vector512.MultiplyAddEstimate(a, b2, s32);
            s33 = Vector512.MultiplyAddEstimate(a, b3, s33);
            s34 = Vector512.MultiplyAddEstimate(a, b4, s34);
            s35 = Vector512.MultiplyAddEstimate(a, b5, s35);
        }
        to[0] += Vector512.Sum(s00);
        to[1] += Vector512.Sum(s01);
        to[2] += Vector512.Sum(s02);
        to[3] += Vector512.Sum(s03);
        to[4] += Vector512.Sum(s04);
        to[5] += Vector512.Sum(s05);
        to += toStride;
        to[0] += Vector512.Sum(s10);
        to[1] += Vector512.Sum(s11);
        to[2] += Vector512.Sum(s12);
        to[3] += Vector512.Sum(s13);
        to[4] += Vector512.Sum(s14);
        to[5] += Vector512.Sum(s15);
        to += toStride;
        to[0] += Vector512.Sum(s20);
        to[1] += Vector512.Sum(s21);
        to[2] += Vector512.Sum(s22);
        to[3] += Vector512.Sum(s23);
        to[4] += Vector512.Sum(s24);
        to[5] += Vector512.Sum(s25);
        to += toStride;
        to[0] += Vector512.Sum(s30);
        to[1] += Vector512.Sum(s31);
        to[2] += Vector512.Sum(s32);
        to[3] += Vector512.Sum(s33);
        to[4] += Vector512.Sum(s34);
        to[5] += Vector512.Sum(s35);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile256(float* queries, int q, int lastQuery, float* database, int r, int lastRow, int stride, int count, float* to, int toStride)
    {
        float* q0 = queries + (long)q * stride, q1 = queries + (long)Math.Min(q + 1, lastQuery) * stride;
        float* q2 = queries + (long)Math.Min(q + 2, lastQuery) * stride, q3 = queries + (long)Math.Min(q + 3, lastQuery) * stride;
        float* d0 = database + (long)r * stride, d1 = database + (long)Math.Min(r + 1, lastRow) * stride;
        Vector256<float> s00 = default, s01 = default;
        Vector256<float> s10 = default, s11 = default;
        Vector256<float> s20 = default, s21 = default;
        Vector256<float> s30 = default, s31 = default;
        for (int i = 0; i <= count - 8; i += 8)
        {
            var b0 = Vector256.Load(d0 + i);
            var b1 = Vector256.Load(d1 + i);
            var a = Vector256.Load(q0 + i);
            s00 = Vector256.MultiplyAddEstimate(a, b0, s00);
            s01 = Vector256.MultiplyAddEstimate(a, b1, s01);
            a = Vector256.Load(q1 + i);
            s10 = Vector256.MultiplyAddEstimate(a, b0, s10);
            s11 = Vector256.MultiplyAddEstimate(a, b1, s11);
            a = Vector256.Load(q2 + i);
            s20 = Vector256.MultiplyAddEstimate(a, b0, s20);
            s21 = Vector256.MultiplyAddEstimate(a, b1, s21);
            a = Vector256.Load(q3 + i);
            s30 = Vector256.MultiplyAddEstimate(a, b0, s30);
            s31 = Vector256.MultiplyAddEstimate(a, b1, s31);
        }
        to[0] += Vector256.Sum(s00);
        to[1] += Vector256.Sum(s01);
        to += toStride;
        to[0] += Vector256.Sum(s10);
        to[1] += Vector256.Sum(s11);
        to += toStride;
        to[0] += Vector256.Sum(s20);
        to[1] += Vector256.Sum(s21);
        to += toStride;
        to[0] += Vector256.Sum(s30);
        to[1] += Vector256.Sum(s31);
    }
}
