using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>The softmax of one row on the host.</summary>
internal static unsafe class HostSoftmax
{
    /// <summary>
    /// Logits so far below the largest count as −∞: e⁻⁶⁹ is 1e-30, and a cluster that has no more of any descriptor is nothing beside the floor of its norm, 1e-12. Smaller assignments soon lack fp32's
    /// full precision, and some processors (Intel's) take many times as long for a multiply-add that meets one: NetVLAD as a whole took up to 12 times as long.
    /// </summary>
    private const float Lowest = -69;

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
        float largest = Largest(most);
        for (; i < count; i++)
        {
            row[i] = b == null ? row[i] * scale : row[i] * scale + b[i];
            largest = MathF.Max(largest, row[i]);
        }
        var shift = new Vector<float>(largest);
        for (i = 0; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var below = Vector.Load(row + i) - shift;
            // NaN is not less.
            var none = Vector.LessThan(below, new Vector<float>(Lowest));
            Vector.ConditionalSelect(none, Vector<float>.Zero, Vector.Exp(Vector.ConditionalSelect(none, Vector<float>.Zero, below))).Store(row + i);
        }
        for (; i < count; i++)
            row[i] = row[i] - largest < Lowest ? 0 : MathF.Exp(row[i] - largest);
        float total = HostRows.Sum(row, count);
        HostRows.Scale(1 / total, row, row, count);
    }

    /// <summary>NaN if one is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector<float> values)
    {
        float largest = values[0];
        if (Vector<float>.Count != 8)
        {
            for (int lane = 1; lane < Vector<float>.Count; lane++)
                largest = MathF.Max(largest, values[lane]);
            return largest;
        }
        var eight = values.AsVector256();
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)))[0];
    }

    /// <summary>ds[k] ← a_k (g_k − Σ_j a_j g_j) with g_k = scale·ds[k] − shift[k]: the gradient of the logits whose softmax is a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Back(float* a, float* ds, float scale, float* shift, int count)
    {
        float mean = HostRows.ShiftAndDot(a, ds, scale, shift, count);
        int i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= count - 16; i += 16)
            (Vector512.Load(a + i) * (Vector512.Load(ds + i) - Vector512.Create(mean))).Store(ds + i);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(a + i) * (Vector.Load(ds + i) - new Vector<float>(mean))).Store(ds + i);
        for (; i < count; i++)
            ds[i] = a[i] * (ds[i] - mean);
    }
}
