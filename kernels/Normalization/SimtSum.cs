using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Sums over a group of threads in a fixed tree, and the norms with their floors, for Simt kernels.</summary>
internal static class SimtSum
{
    public const int Threads = 64;

    /// <summary>The sum of every thread's value, for every thread; all threads of the group must call it. <paramref name="shared"/>: <see cref="Threads"/> floats, free again after.</summary>
    public static float Over(float value, ArrayView<float> shared)
    {
        shared[Group.IdxX] = value;
        Group.Barrier();
        for (int half = Threads / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half)
                shared[Group.IdxX] += shared[Group.IdxX + half];
            Group.Barrier();
        }
        float sum = shared[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>The divisor for this sum of squares.</summary>
    public static float Norm(float square, int softFloor)
    {
        if (softFloor != 0)
            return PtxMath.Sqrt(square + L2Normalization.Floor);
        float norm = PtxMath.Sqrt(square);
        // Written so that NaN stays NaN.
        return norm < L2Normalization.Floor ? L2Normalization.Floor : norm;
    }

    /// <summary>1 / divisor, and 0 where the clamp acted: there the gradient is zero.</summary>
    public static float GradientScale(float square, int softFloor)
    {
        if (softFloor == 0 && PtxMath.Sqrt(square) < L2Normalization.Floor)
            return 0;
        return PtxMath.Divide(1, Norm(square, softFloor));
    }
}
