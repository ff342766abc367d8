using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What transforms in fp64 do with vectors, as <see cref="IHostVector{TVector}"/>: a vector wider than the machine's is emulated, through memory, and takes several times as long.
/// </summary>
internal unsafe interface IHostDoubles<TVector>
    where TVector : struct
{
    /// <summary>Numbers in a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(double* from);

    static abstract void Store(TVector value, double* to);

    /// <summary>As many floats.</summary>
    static abstract TVector Widen(float* from);

    /// <summary>Rounded to as many floats.</summary>
    static abstract void Narrow(TVector value, float* to);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, double b);
}

internal readonly unsafe struct HostDoubles512 : IHostDoubles<Vector512<double>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Load(double* from) => Vector512.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<double> value, double* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Widen(float* from)
    {
        // .NET 10 joins two halves in a slot of the stack, which each conversion then waits for.
        if (Avx512F.IsSupported)
            return Avx512F.ConvertToVector512Double(Vector256.Load(from));
        var (lower, upper) = Vector256.Widen(Vector256.Load(from));
        return Vector512.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Narrow(Vector512<double> value, float* to)
        => (Avx512F.IsSupported ? Avx512F.ConvertToVector256Single(value) : Vector256.Narrow(value.GetLower(), value.GetUpper())).Store(to);

    /// <summary>Two vectors, rounded to one of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Narrow(Vector512<double> lower, Vector512<double> upper)
        => Avx512DQ.IsSupported
            ? Avx512DQ.InsertVector256(Avx512F.ConvertToVector256Single(lower).ToVector512Unsafe(), Avx512F.ConvertToVector256Single(upper), 1)
            : Vector512.Narrow(lower, upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Add(Vector512<double> a, Vector512<double> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Subtract(Vector512<double> a, Vector512<double> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Multiply(Vector512<double> a, double b) => a * b;
}

internal readonly unsafe struct HostDoubles256 : IHostDoubles<Vector256<double>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Load(double* from) => Vector256.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<double> value, double* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Widen(float* from)
    {
        if (Avx.IsSupported)
            return Avx.ConvertToVector256Double(Vector128.Load(from));
        var (lower, upper) = Vector128.Widen(Vector128.Load(from));
        return Vector256.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Narrow(Vector256<double> value, float* to)
        => (Avx.IsSupported ? Avx.ConvertToVector128Single(value) : Vector128.Narrow(value.GetLower(), value.GetUpper())).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Add(Vector256<double> a, Vector256<double> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Subtract(Vector256<double> a, Vector256<double> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Multiply(Vector256<double> a, double b) => a * b;
}

internal readonly unsafe struct HostDoubles128 : IHostDoubles<Vector128<double>>
{
    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Load(double* from) => Vector128.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<double> value, double* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Widen(float* from) => Vector128.Create((double)from[0], from[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Narrow(Vector128<double> value, float* to)
    {
        to[0] = (float)value[0];
        to[1] = (float)value[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Add(Vector128<double> a, Vector128<double> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Subtract(Vector128<double> a, Vector128<double> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Multiply(Vector128<double> a, double b) => a * b;
}
