using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf;

/// <summary>What the processor's multiply-adds reach here and now, in registers alone: the roof of every product.</summary>
internal static unsafe class FmaPeak
{
    private const int Steps = 1_000_000, Tries = 9;

    /// <summary>A multiply-add takes about four cycles and two begin in each: ten independent sums keep them busy.</summary>
    private const int Chains = 10;

    /// <summary>GFLOP/s of so many threads together, the best of a few tries of some milliseconds: neighbours only ever take away.</summary>
    public static double Measure(int threads)
    {
        double best = 0;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            var seconds = new double[threads];
            using var start = new Barrier(threads);
            var workers = Enumerable.Range(0, threads).Select(i => new Thread(() => seconds[i] = Run(start))).ToList();
            workers.ForEach(w => w.Start());
            workers.ForEach(w => w.Join());
            best = Math.Max(best, 2e-9 * HostSimd.Lanes * Chains * Steps * threads / seconds.Max());
        }
        return best;
    }

    private static double Run(Barrier start)
    {
        float* sums = stackalloc float[HostSimd.Lanes];
        start.SignalAndWait();
        long begin = Stopwatch.GetTimestamp();
        if (Vector512.IsHardwareAccelerated)
            Chain<Vector512<float>, HostVector512>(sums);
        else if (Vector256.IsHardwareAccelerated)
            Chain<Vector256<float>, HostVector256>(sums);
        else
            Chain<Vector128<float>, HostVector128>(sums);
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chain<TVector, TOps>(float* sums)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        // Stays finite: the sums tend to 0.5 / (1 − 0.5).
        var x = TOps.Broadcast(0.5f);
        TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x;
        for (int step = 0; step < Steps; step++)
        {
            a = TOps.MultiplyAdd(a, x, x);
            b = TOps.MultiplyAdd(b, x, x);
            c = TOps.MultiplyAdd(c, x, x);
            d = TOps.MultiplyAdd(d, x, x);
            e = TOps.MultiplyAdd(e, x, x);
            f = TOps.MultiplyAdd(f, x, x);
            g = TOps.MultiplyAdd(g, x, x);
            h = TOps.MultiplyAdd(h, x, x);
            i = TOps.MultiplyAdd(i, x, x);
            j = TOps.MultiplyAdd(j, x, x);
        }
        TOps.Store(TOps.Add(TOps.Add(TOps.Add(TOps.Add(a, b), TOps.Add(c, d)), TOps.Add(TOps.Add(e, f), TOps.Add(g, h))), TOps.Add(i, j)), sums);
    }
}
