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
        int i = 0;
        var most = new Vector<float>(float.NegativeInfinity);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var logits = Vector.Load(row + i) * scale;
            if (b != null)
                logits += Vector.Load(b + i);
            logits.Store(row + i);
            most = Vector.Max(most, logits);
        }
        float largest = most[0];
        for (int lane = 1; lane < Vector<float>.Count; lane++)
            largest = MathF.Max(largest, most[lane]);
        for (; i < count; i++)
        {
            row[i] = b == null ? row[i] * scale : row[i] * scale + b[i];
            largest = MathF.Max(largest, row[i]);
        }
        var shift = new Vector<float>(largest);
        for (i = 0; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Exp(Vector.Load(row + i) - shift).Store(row + i);
        for (; i < count; i++)
            row[i] = MathF.Exp(row[i] - largest);
        float total = HostRows.Sum(row, count);
        HostRows.Scale(1 / total, row, row, count);
    }
}
