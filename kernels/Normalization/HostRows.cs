using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Sums and scalings of rows on the host. All widths use the same association: 16 partial sums by index modulo 16, the tail in order, then
/// one fixed tree; so AVX-512, AVX2 and narrower vectors differ only where a multiply-add is not fused. One sum waits for each of its multiply-adds, so several go side by side where there are several.
/// With AVX-512 what is written here is written in its vectors: a sum that reads it at once would wait for two narrower ones to leave for the cache.
/// </summary>
internal static unsafe class HostRows
{
    /// <summary>Σ a[i]·b[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* a, float* b, int count)
    {
        int i = 0;
        float sum = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var s0 = Vector512<float>.Zero;
            for (; i <= count - 16; i += 16)
                s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), s0);
            sum = Tree(s0.GetLower(), s0.GetUpper());
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Vector256<float> s0 = default, s1 = default;
            for (; i <= count - 16; i += 16)
            {
                s0 = Vector256.MultiplyAddEstimate(Vector256.Load(a + i), Vector256.Load(b + i), s0);
                s1 = Vector256.MultiplyAddEstimate(Vector256.Load(a + i + 8), Vector256.Load(b + i + 8), s1);
            }
            sum = Tree(s0, s1);
        }
        else
        {
            Vector128<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (; i <= count - 16; i += 16)
            {
                s0 = Vector128.MultiplyAddEstimate(Vector128.Load(a + i), Vector128.Load(b + i), s0);
                s1 = Vector128.MultiplyAddEstimate(Vector128.Load(a + i + 4), Vector128.Load(b + i + 4), s1);
                s2 = Vector128.MultiplyAddEstimate(Vector128.Load(a + i + 8), Vector128.Load(b + i + 8), s2);
                s3 = Vector128.MultiplyAddEstimate(Vector128.Load(a + i + 12), Vector128.Load(b + i + 12), s3);
            }
            sum = Tree(Vector256.Create(s0, s1), Vector256.Create(s2, s3));
        }
        for (; i < count; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>Σ a[i]·a[i] and Σ a[i]·b[i], both as <see cref="Dot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SquareAndDot(float* a, float* b, int count, out float dot)
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            dot = Dot(a, b, count);
            return Dot(a, a, count);
        }
        int i = 0;
        Vector512<float> squares = default, products = default;
        for (; i <= count - 16; i += 16)
        {
            var x = Vector512.Load(a + i);
            squares = Vector512.MultiplyAddEstimate(x, x, squares);
            products = Vector512.MultiplyAddEstimate(x, Vector512.Load(b + i), products);
        }
        float square = Tree(squares.GetLower(), squares.GetUpper());
        dot = Tree(products.GetLower(), products.GetUpper());
        for (; i < count; i++)
        {
            square += a[i] * a[i];
            dot += a[i] * b[i];
        }
        return square;
    }

    /// <summary>Rows whose sums <see cref="Squares"/> makes together.</summary>
    public const int SideBySide = 4;

    /// <summary>squares[r] = Σ a[i]·a[i] of each of so many rows, <paramref name="stride"/> floats apart, as <see cref="Dot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Squares(float* a, nint stride, int rows, int count, float* squares)
    {
        int row = 0;
        for (; Vector512.IsHardwareAccelerated && row <= rows - SideBySide; row += SideBySide, a += SideBySide * stride)
        {
            int i = 0;
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (; i <= count - 16; i += 16)
            {
                float* at = a + i;
                Vector512<float> x0 = Vector512.Load(at), x1 = Vector512.Load(at + stride), x2 = Vector512.Load(at + 2 * stride), x3 = Vector512.Load(at + 3 * stride);
                s0 = Vector512.MultiplyAddEstimate(x0, x0, s0);
                s1 = Vector512.MultiplyAddEstimate(x1, x1, s1);
                s2 = Vector512.MultiplyAddEstimate(x2, x2, s2);
                s3 = Vector512.MultiplyAddEstimate(x3, x3, s3);
            }
            squares[row] = Tree(s0.GetLower(), s0.GetUpper());
            squares[row + 1] = Tree(s1.GetLower(), s1.GetUpper());
            squares[row + 2] = Tree(s2.GetLower(), s2.GetUpper());
            squares[row + 3] = Tree(s3.GetLower(), s3.GetUpper());
            for (; i < count; i++)
                for (int r = 0; r < SideBySide; r++)
                    squares[row + r] += a[r * stride + i] * a[r * stride + i];
        }
        for (; row < rows; row++, a += stride)
            squares[row] = Dot(a, a, count);
    }

    /// <summary>to[i] ← scale·to[i] − shift[i], not fused, and of the result Σ a[i]·to[i] as <see cref="Dot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ShiftAndDot(float* a, float* to, float scale, float* shift, int count)
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            int k = 0;
            for (; k <= count - Vector<float>.Count; k += Vector<float>.Count)
                (Vector.Load(to + k) * scale - Vector.Load(shift + k)).Store(to + k);
            for (; k < count; k++)
                to[k] = to[k] * scale - shift[k];
            return Dot(a, to, count);
        }
        int i = 0;
        Vector512<float> sums = default;
        for (; i <= count - 16; i += 16)
        {
            var shifted = Vector512.Load(to + i) * scale - Vector512.Load(shift + i);
            shifted.Store(to + i);
            sums = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), shifted, sums);
        }
        float sum = Tree(sums.GetLower(), sums.GetUpper());
        for (; i < count; i++)
        {
            to[i] = to[i] * scale - shift[i];
            sum += a[i] * to[i];
        }
        return sum;
    }

    /// <summary>Σ a[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum(float* a, int count)
    {
        int i = 0;
        Vector256<float> s0 = default, s1 = default;
        for (; i <= count - 16; i += 16)
        {
            s0 += Vector256.Load(a + i);
            s1 += Vector256.Load(a + i + 8);
        }
        float sum = Tree(s0, s1);
        for (; i < count; i++)
            sum += a[i];
        return sum;
    }

    private static float Tree(Vector256<float> low, Vector256<float> high)
    {
        var eight = low + high;
        var four = eight.GetLower() + eight.GetUpper();
        return four[0] + four[2] + (four[1] + four[3]);
    }

    /// <summary>to[i] = a·x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(float a, float* x, float* to, int count)
    {
        int i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= count - 16; i += 16)
            (Vector512.Load(x + i) * a).Store(to + i);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(x + i) * a).Store(to + i);
        for (; i < count; i++)
            to[i] = x[i] * a;
    }

    /// <summary>to[i] += a·x[i], not fused, so that every width rounds alike.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(float a, float* x, float* to, int count)
    {
        int i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= count - 16; i += 16)
            (Vector512.Load(to + i) + Vector512.Load(x + i) * a).Store(to + i);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(to + i) + Vector.Load(x + i) * a).Store(to + i);
        for (; i < count; i++)
            to[i] += x[i] * a;
    }

    /// <summary>to[i] = (dy[i] − along·y[i])·scale: the gradient through a normalisation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Project(float* dy, float along, float* y, float scale, float* to, int count)
    {
        int i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= count - 16; i += 16)
            ((Vector512.Load(dy + i) - Vector512.Load(y + i) * along) * scale).Store(to + i);
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            ((Vector.Load(dy + i) - Vector.Load(y + i) * along) * scale).Store(to + i);
        for (; i < count; i++)
            to[i] = (dy[i] - y[i] * along) * scale;
    }

    /// <summary>1 / the divisor of a row with this sum of squares; 0 for the gradient where <paramref name="clamped"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float InverseNorm(float square, bool soft, out bool clamped)
    {
        float norm = MathF.Sqrt(soft ? square + L2Normalization.Floor : square);
        clamped = !soft && norm < L2Normalization.Floor;
        return 1 / (clamped ? L2Normalization.Floor : norm);
    }
}
