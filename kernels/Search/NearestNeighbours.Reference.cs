using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class NearestNeighbours
{
    private static void RunReference(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => Reference(s, HostMemory.Span(buffers[0]), HostMemory.Span(buffers[1]), HostMemory.Span(buffers[2]), MemoryMarshal.Cast<float, int>(HostMemory.Span(buffers[3])));

    /// <summary>The contract in plain loops: all distances, sorted.</summary>
    internal static void Reference(in SearchShape s, ReadOnlySpan<float> queries, ReadOnlySpan<float> database, Span<float> distance2, Span<int> index)
    {
        var found = new (double Distance, int Row)[s.Database];
        for (int q = 0; q < s.Queries; q++)
        {
            for (int i = 0; i < s.Database; i++)
            {
                double sum = 0;
                for (int d = 0; d < s.D; d++)
                {
                    double difference = (double)queries[q * s.D + d] - database[i * s.D + d];
                    sum += difference * difference;
                }
                found[i] = (sum, i);
            }
            Array.Sort(found, static (a, b) => double.IsNaN(a.Distance) != double.IsNaN(b.Distance) ? (double.IsNaN(a.Distance) ? 1 : -1)
                : a.Distance < b.Distance ? -1 : a.Distance > b.Distance ? 1 : a.Row.CompareTo(b.Row));
            for (int k = 0; k < s.K; k++)
                (distance2[q * s.K + k], index[q * s.K + k]) = ((float)found[k].Distance, found[k].Row);
        }
    }
}
