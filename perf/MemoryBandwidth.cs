using System.Diagnostics;

namespace IlgpuNetVlad.Perf;

/// <summary>What this machine's memory gives here and now, the roof of everything that computes little.</summary>
internal static class MemoryBandwidth
{
    private const int Floats = 16 << 20, Tries = 7;

    /// <summary>GB/s of so many threads that copy 64 MB each, far more than caches hold; reads and writes both count. The best of a few tries: neighbours only ever take away.</summary>
    public static double Measure(int threads)
    {
        float[][] from = [.. Enumerable.Range(0, threads).Select(_ => new float[Floats])], to = [.. from.Select(_ => new float[Floats])];
        double best = 0;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            var seconds = new double[threads];
            using var start = new Barrier(threads);
            var workers = Enumerable.Range(0, threads).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                long begin = Stopwatch.GetTimestamp();
                from[i].CopyTo(to[i], 0);
                seconds[i] = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            })).ToList();
            workers.ForEach(w => w.Start());
            workers.ForEach(w => w.Join());
            best = Math.Max(best, 2.0 * sizeof(float) * Floats * threads / seconds.Max() / 1e9);
        }
        return best;
    }
}
