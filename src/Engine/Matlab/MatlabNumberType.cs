using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>How numbers lie in a file, which need not be how MATLAB held them: whole numbers are stored in as few bytes as do.</summary>
internal sealed class MatlabNumberType
{
    private delegate void Decoder<T>(ReadOnlySpan<byte> bytes, Span<T> numbers);

    private static readonly Dictionary<int, MatlabNumberType> ById = new()
    {
        [1] = Of<sbyte>(), [2] = Of<byte>(), [3] = Of<short>(), [4] = Of<ushort>(), [5] = Of<int>(), [6] = Of<uint>(), [7] = Of<float>(), [9] = Of<double>(), [12] = Of<long>(), [13] = Of<ulong>(),
    };

    private readonly Decoder<float> toSingles;
    private readonly Decoder<double> toDoubles;

    private MatlabNumberType(int bytes, Decoder<float> toSingles, Decoder<double> toDoubles) => (Bytes, this.toSingles, this.toDoubles) = (bytes, toSingles, toDoubles);

    /// <summary>Of one number.</summary>
    public int Bytes { get; }

    /// <summary>By the number that the format gives it; null for what holds no numbers.</summary>
    public static MatlabNumberType? Find(int id) => ById.GetValueOrDefault(id);

    /// <param name="bytes">Of as many numbers, in this machine's order.</param>
    public void Decode(ReadOnlySpan<byte> bytes, Span<float> numbers) => toSingles(bytes, numbers);

    /// <inheritdoc cref="Decode(ReadOnlySpan{byte}, Span{float})"/>
    public void Decode(ReadOnlySpan<byte> bytes, Span<double> numbers) => toDoubles(bytes, numbers);

    private static MatlabNumberType Of<T>()
        where T : unmanaged, INumberBase<T>
        => new(Unsafe.SizeOf<T>(), Convert<T, float>, Convert<T, double>);

    private static void Convert<TFrom, TTo>(ReadOnlySpan<byte> bytes, Span<TTo> numbers)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo>
    {
        var from = MemoryMarshal.Cast<byte, TFrom>(bytes);
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = TTo.CreateTruncating(from[i]);
    }
}
