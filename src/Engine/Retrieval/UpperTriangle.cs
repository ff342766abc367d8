using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// A symmetric matrix, of which the upper triangle is kept in fp32, times a vector, over some of its rows: each number counts for its row and for its column.
/// <code>
/// sums_i += Σ_{j ≥ i} a_ij v_j      sums_j += Σ_{i &lt; j} a_ij v_i
/// </code>
/// Eight rows at a time, for which v and the sums are read once; 4 FLOPs for 4 bytes, at the pace of memory. Products of eight rows, or of 32 numbers of a row in one lane, are summed in
/// fp32, and these in fp64. The squares of 16 on the diagonal must hold both triangles.
/// </summary>
internal static unsafe class UpperTriangle
{
    /// <summary>Rows begin and end with such squares, and have a multiple of as many numbers.</summary>
    public const int Square = 16;

    /// <summary>Numbers of a row whose sums stay in fp32.</summary>
    private const int Chunk = 512;

    private const int Rows = 8;

    /// <param name="a">[…][stride], begins with a cache line.</param>
    /// <param name="begin">The first row, and…</param>
    /// <param name="end">…the one behind the last, both multiples of <see cref="Square"/>.</param>
    /// <param name="width">Numbers of a row, a multiple of <see cref="Square"/>.</param>
    public static void Multiply(float* a, long stride, float* v, double* sums, int begin, int end, int width)
    {
        for (int i = begin; i < end; i += Square)
        {
            float* rows = a + i * stride;
            Diagonal(rows + i, stride, v + i, sums + i);
            MultiplyRows(rows, stride, v, i, i + Square, sums, width);
            MultiplyRows(rows + Rows * stride, stride, v, i + Rows, i + Square, sums, width);
        }
    }

    /// <summary>The square on the diagonal, by columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Diagonal(float* a, long stride, float* v, double* sums)
    {
        Vector512<float> even = default, odd = default;
        for (int i = 0; i < Square; i += 2, a += 2 * stride)
        {
            even = Vector512.MultiplyAddEstimate(Vector512.LoadAligned(a), Vector512.Create(v[i]), even);
            odd = Vector512.MultiplyAddEstimate(Vector512.LoadAligned(a + stride), Vector512.Create(v[i + 1]), odd);
        }
        Add(sums, even + odd);
    }

    /// <summary>sums += s, 16 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(double* sums, Vector512<float> s)
    {
        var (low, high) = Vector512.Widen(s);
        (Vector512.Load(sums) + low).Store(sums);
        (Vector512.Load(sums + 8) + high).Store(sums + 8);
    }

    /// <summary>Eight rows from column <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRows(float* r0, long stride, float* v, int row, int first, double* sums, int width)
    {
        float* r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride, r4 = r3 + stride, r5 = r4 + stride, r6 = r5 + stride, r7 = r6 + stride;
        float* x = v + row;
        Vector512<float> y0 = Vector512.Create(x[0]), y1 = Vector512.Create(x[1]), y2 = Vector512.Create(x[2]), y3 = Vector512.Create(x[3]);
        Vector512<float> y4 = Vector512.Create(x[4]), y5 = Vector512.Create(x[5]), y6 = Vector512.Create(x[6]), y7 = Vector512.Create(x[7]);
        Vector512<double> d0 = default, d1 = default, d2 = default, d3 = default, d4 = default, d5 = default, d6 = default, d7 = default;
        for (int chunk = first; chunk < width; chunk += Chunk)
        {
            int end = Math.Min(chunk + Chunk, width);
            Vector512<float> t0 = default, t1 = default, t2 = default, t3 = default, t4 = default, t5 = default, t6 = default, t7 = default;
            for (int j = chunk; j < end; j += Square)
            {
                Vector512<float> z = Vector512.Load(v + j), m = Vector512.LoadAligned(r0 + j), s, s2;
                t0 = Vector512.MultiplyAddEstimate(m, z, t0);
                s = m * y0;
                m = Vector512.LoadAligned(r1 + j);
                t1 = Vector512.MultiplyAddEstimate(m, z, t1);
                s2 = m * y1;
                m = Vector512.LoadAligned(r2 + j);
                t2 = Vector512.MultiplyAddEstimate(m, z, t2);
                s = Vector512.MultiplyAddEstimate(m, y2, s);
                m = Vector512.LoadAligned(r3 + j);
                t3 = Vector512.MultiplyAddEstimate(m, z, t3);
                s2 = Vector512.MultiplyAddEstimate(m, y3, s2);
                m = Vector512.LoadAligned(r4 + j);
                t4 = Vector512.MultiplyAddEstimate(m, z, t4);
                s = Vector512.MultiplyAddEstimate(m, y4, s);
                m = Vector512.LoadAligned(r5 + j);
                t5 = Vector512.MultiplyAddEstimate(m, z, t5);
                s2 = Vector512.MultiplyAddEstimate(m, y5, s2);
                m = Vector512.LoadAligned(r6 + j);
                t6 = Vector512.MultiplyAddEstimate(m, z, t6);
                s = Vector512.MultiplyAddEstimate(m, y6, s);
                m = Vector512.LoadAligned(r7 + j);
                t7 = Vector512.MultiplyAddEstimate(m, z, t7);
                s2 = Vector512.MultiplyAddEstimate(m, y7, s2);
                Add(sums + j, s + s2);
            }
            d0 += Doubles(t0);
            d1 += Doubles(t1);
            d2 += Doubles(t2);
            d3 += Doubles(t3);
            d4 += Doubles(t4);
            d5 += Doubles(t5);
            d6 += Doubles(t6);
            d7 += Doubles(t7);
        }
        sums += row;
        sums[0] += Vector512.Sum(d0);
        sums[1] += Vector512.Sum(d1);
        sums[2] += Vector512.Sum(d2);
        sums[3] += Vector512.Sum(d3);
        sums[4] += Vector512.Sum(d4);
        sums[5] += Vector512.Sum(d5);
        sums[6] += Vector512.Sum(d6);
        sums[7] += Vector512.Sum(d7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Doubles(Vector512<float> t)
    {
        var (low, high) = Vector512.Widen(t);
        return low + high;
    }
}
