using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// k-means: seeds far apart by k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's rounds until nothing moves. The samples' products with
/// the centres are matrix products on the device; the rest runs on the host, each sum in a fixed order: the bits do not depend on the number of threads.
/// </summary>
public static class KMeans
{
    /// <param name="samples">[n, D]</param>
    /// <param name="clusters">K, 1 … number of different samples.</param>
    /// <returns>Centres [K, D].</returns>
    /// <exception cref="UserErrorException">Fewer different samples than clusters.</exception>
    public static float[] Cluster(Device device, DescriptorMatrix samples, int clusters, int iterations, ulong seed, IProgressSink? progress = null, CancellationToken token = default)
    {
        int n = samples.Rows, d = samples.Dimension;
        if (n < clusters)
            throw new UserErrorException($"{clusters} clusters cannot be found among {n} local descriptors: use fewer clusters or more images.");
        var centres = Seed(samples, clusters, new SeededGenerator(seed, stream: ulong.MaxValue - 1), token);
        var shape = new GemmShape(n, clusters, d, TransposeA: 0, TransposeB: 1, Exact: 1);
        using var x = device.Allocate(samples.Values.AsSpan(0, n * d));
        using var c = device.Allocate((long)clusters * d);
        using var output = device.Allocate((long)n * clusters);
        using var workspace = device.Allocate(Gemm.Operation.Workspace(device, shape));
        var products = new float[(long)n * clusters];
        var nearest = new int[n];
        Array.Fill(nearest, -1);
        for (int round = 0; round < iterations; round++)
        {
            token.ThrowIfCancellationRequested();
            device.Upload(centres, c.View);
            Gemm.Multiply(device, shape, x, c, output, workspace);
            device.Download(output.View, products);
            bool moved = Assign(products, centres, nearest, clusters, d);
            progress?.Advance(round + 1);
            if (!moved)
                break;
            FillEmpty(samples, centres, nearest, clusters);
            Average(samples, nearest, centres, clusters);
        }
        return centres;
    }

    /// <summary>Each next seed is a sample drawn with a chance in proportion to its squared distance from the seeds so far.</summary>
    private static float[] Seed(DescriptorMatrix samples, int clusters, SeededGenerator generator, CancellationToken token)
    {
        int n = samples.Rows, d = samples.Dimension;
        var centres = new float[clusters * d];
        var distance = new float[n];
        Array.Fill(distance, float.PositiveInfinity);
        int next = generator.Next(n);
        for (int k = 0; k < clusters; k++)
        {
            token.ThrowIfCancellationRequested();
            samples.Row(next).CopyTo(centres.AsSpan(k * d, d));
            if (k == clusters - 1)
                break;
            int seed = k;
            Parallel.For(0, n, i => distance[i] = Math.Min(distance[i], Distance.Squared(samples.Row(i), centres.AsSpan(seed * d, d))));
            double total = 0;
            foreach (float x in distance)
                total += x;
            if (!(total > 0))
                throw new UserErrorException($"{clusters} clusters cannot be found: the local descriptors have only {k + 1} different values; use fewer clusters or more different images.");
            double mark = generator.NextDouble() * total;
            next = -1;
            for (int i = 0; i < n; i++)
            {
                if (distance[i] == 0)
                    continue;
                next = i;
                if ((mark -= distance[i]) < 0)
                    break;
            }
        }
        return centres;
    }

    /// <summary>argmin_k ‖c_k‖² − 2 x·c_k, the lower k where equal; whether any sample changed its cluster.</summary>
    private static bool Assign(float[] products, float[] centres, int[] nearest, int clusters, int d)
    {
        var half = new float[clusters];
        for (int k = 0; k < clusters; k++)
        {
            double sum = 0;
            foreach (float v in centres.AsSpan(k * d, d))
                sum += (double)v * v;
            half[k] = (float)(sum / 2);
        }
        int moved = 0;
        Parallel.For(0, nearest.Length, i =>
        {
            var row = products.AsSpan(i * clusters, clusters);
            int best = 0;
            for (int k = 1; k < clusters; k++)
                if (row[k] - half[k] > row[best] - half[best])
                    best = k;
            if (nearest[i] == best)
                return;
            nearest[i] = best;
            Interlocked.Exchange(ref moved, 1);
        });
        return moved != 0;
    }

    /// <summary>A cluster that lost all its samples takes over the one that lies farthest from its own centre, in a cluster of several.</summary>
    internal static void FillEmpty(DescriptorMatrix samples, float[] centres, int[] nearest, int clusters)
    {
        int d = samples.Dimension;
        var counts = new int[clusters];
        foreach (int k in nearest)
            counts[k]++;
        for (int k = 0; k < clusters; k++)
        {
            if (counts[k] > 0)
                continue;
            int farthest = -1;
            float most = -1;
            for (int i = 0; i < nearest.Length; i++)
                if (counts[nearest[i]] > 1 && Distance.Squared(samples.Row(i), centres.AsSpan(nearest[i] * d, d)) is var far && far > most)
                    (farthest, most) = (i, far);
            counts[nearest[farthest]]--;
            nearest[farthest] = k;
            counts[k] = 1;
        }
    }

    /// <summary>Centres become the means of their samples, summed in fp64 in the samples' order.</summary>
    private static void Average(DescriptorMatrix samples, int[] nearest, float[] centres, int clusters)
    {
        int d = samples.Dimension;
        var members = new List<int>[clusters];
        for (int k = 0; k < clusters; k++)
            members[k] = [];
        for (int i = 0; i < nearest.Length; i++)
            members[nearest[i]].Add(i);
        Parallel.For(0, clusters, k =>
        {
            var sum = new double[d];
            foreach (int i in members[k])
            {
                var row = samples.Row(i);
                for (int j = 0; j < d; j++)
                    sum[j] += row[j];
            }
            for (int j = 0; j < d; j++)
                centres[k * d + j] = (float)(sum[j] / members[k].Count);
        });
    }
}
