using System.Numerics;
using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>The softmax of one row on the host.</summary>
internal static unsafe class HostSoftmax
{
    /// <summary>row[k] ← softmax_k(scale·row[k] + b[k]); b may be null. NaN anywhere makes the row NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* row, float scale, float* b, int count)
    {
        float largest = float.NegativeInfinity, total = 0;
        for (int k = 0; k < count; k++)
        {
            row[k] = b == null ? row[k] * scale : row[k] * scale + b[k];
            largest = MathF.Max(largest, row[k]);
        }
        int i = 0;
        var shift = new Vector<float>(largest);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Exp(Vector.Load(row + i) - shift).Store(row + i);
        for (; i < count; i++)
            row[i] = MathF.Exp(row[i] - largest);
        for (int k = 0; k < count; k++)
            total += row[k];
        HostRows.Scale(1 / total, row, row, count);
    }
}
