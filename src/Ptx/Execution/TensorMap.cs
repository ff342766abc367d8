using System.Buffers.Binary;

namespace IlgpuNetVlad.Ptx;

/// <summary>
/// A tensor map as the executor reads it: what <c>cuTensorMapEncodeTiled</c> and <c>cuTensorMapEncodeIm2col</c> are told, in 128 bytes with fields of our own, for the driver's are its secret. The
/// checks are those of the driver's documentation. Dimensions begin with the innermost, whose numbers are neighbours.
/// </summary>
public sealed record TensorMap
{
    public const int Bytes = 128, Alignment = 64, MostDimensions = 5;

    private const ulong Mark = 0x50414D_524F534E45; // "ENSORMAP"

    /// <summary>Of the tensor's first number, a multiple of 16.</summary>
    public required ulong Address { get; init; }

    /// <summary>Of a number: 1, 2, 4 or 8.</summary>
    public required int ElementBytes { get; init; }

    /// <summary>Numbers along each dimension: 1 to 5 of them; of im2col 3 to 5, channels first, then columns, rows …, images last.</summary>
    public required int[] Sizes { get; init; }

    /// <summary>Bytes from one to the next along each dimension but the innermost: multiples of 16.</summary>
    public required long[] Strides { get; init; }

    /// <summary>Of a tiled copy: numbers along each dimension, 1 to 256. Empty for im2col.</summary>
    public int[] Box { get; init; } = [];

    /// <summary>Of im2col: where the box of pixels begins along columns, rows …, such as −padding…</summary>
    public int[] LowerCorner { get; init; } = [];

    /// <summary>…and where it ends, counted from the last, such as padding − (window − 1).</summary>
    public int[] UpperCorner { get; init; } = [];

    /// <summary>Of im2col: channels of a pixel, and pixels, that one copy brings.</summary>
    public int ChannelsPerPixel { get; init; }

    /// <inheritdoc cref="ChannelsPerPixel"/>
    public int PixelsPerColumn { get; init; }

    /// <summary>Numbers from one to the next that is copied, along each dimension, 1 along the innermost; of im2col the stride of the convolution. A box brings fewer by as much.</summary>
    public required int[] ElementStrides { get; init; }

    /// <summary>Bytes of a swizzled line: 32, 64 or 128; 0 for none.</summary>
    public int Swizzle { get; init; }

    public bool IsIm2col => LowerCorner.Length > 0;

    /// <summary>What the driver would refuse, in words, or null.</summary>
    public string? Wrong()
    {
        int rank = Sizes.Length, inner = (IsIm2col ? ChannelsPerPixel : Box.FirstOrDefault()) * ElementBytes;
        if (rank is < 1 or > MostDimensions || (IsIm2col && rank < 3))
            return $"{rank} dimensions are too few or too many";
        if (Strides.Length != rank - 1 || ElementStrides.Length != rank || (IsIm2col ? LowerCorner.Length != rank - 2 || UpperCorner.Length != rank - 2 : Box.Length != rank))
            return "the lists are not as long as the dimensions want them";
        if (Address % 16 != 0 || Strides.Any(s => s % 16 != 0 || s < 0))
            return "address and strides are not multiples of 16 bytes";
        if (ElementBytes is not (1 or 2 or 4 or 8) || Sizes.Any(s => s < 1) || ElementStrides.Any(s => s is < 1 or > 8) || ElementStrides[0] != 1)
            return "sizes begin at 1, strides of elements are 1 to 8, and 1 along the innermost dimension";
        if (IsIm2col ? ChannelsPerPixel is < 1 or > 256 || PixelsPerColumn is < 1 or > 1024 : Box.Any(b => b is < 1 or > 256))
            return "a box has 1 to 256 numbers a dimension, a column 1 to 1024 pixels";
        if (inner % 16 != 0)
            return $"the innermost line of a box has {inner} bytes, which is no multiple of 16";
        if (Swizzle is not (0 or 32 or 64 or 128) || (Swizzle > 0 && inner > Swizzle))
            return $"lines of {inner} bytes are not swizzled by {Swizzle}";
        return null;
    }

    /// <summary>The 128 bytes.</summary>
    /// <exception cref="ArgumentException">The driver would refuse it.</exception>
    public byte[] Encode()
    {
        if (Wrong() is { } wrong)
            throw new ArgumentException($"No tensor map: {wrong}.");
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Mark);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), Address);
        (bytes[16], bytes[17], bytes[18], bytes[19]) = ((byte)Sizes.Length, (byte)ElementBytes, (byte)Swizzle, (byte)(IsIm2col ? 1 : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(20), (ushort)ChannelsPerPixel);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(22), (ushort)PixelsPerColumn);
        for (int i = 0; i < Sizes.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24 + 4 * i), Sizes[i]);
            bytes[44 + i] = (byte)ElementStrides[i];
            if (!IsIm2col)
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(50 + 2 * i), (ushort)Box[i]);
        }
        for (int i = 0; i < Strides.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(64 + 8 * i), Strides[i]);
        for (int i = 0; i < LowerCorner.Length; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(96 + 2 * i), (short)LowerCorner[i]);
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(104 + 2 * i), (short)UpperCorner[i]);
        }
        return bytes;
    }

    /// <summary>What 128 bytes say; null where they are no tensor map.</summary>
    public static TensorMap? Decode(ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Mark)
            return null;
        int rank = bytes[16];
        bool im2col = bytes[19] != 0;
        int[] sizes = new int[rank], elementStrides = new int[rank], box = new int[im2col ? 0 : rank], lower = new int[im2col ? rank - 2 : 0], upper = new int[lower.Length];
        long[] strides = new long[rank - 1];
        for (int i = 0; i < rank; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(24 + 4 * i)..]);
            elementStrides[i] = bytes[44 + i];
            if (!im2col)
                box[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(50 + 2 * i)..]);
        }
        for (int i = 0; i < strides.Length; i++)
            strides[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(64 + 8 * i)..]);
        for (int i = 0; i < lower.Length; i++)
        {
            lower[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(96 + 2 * i)..]);
            upper[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(104 + 2 * i)..]);
        }
        return new()
        {
            Address = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), ElementBytes = bytes[17], Swizzle = bytes[18], Sizes = sizes, Strides = strides, Box = box, LowerCorner = lower,
            UpperCorner = upper, ElementStrides = elementStrides,
            ChannelsPerPixel = BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..]), PixelsPerColumn = BinaryPrimitives.ReadUInt16LittleEndian(bytes[22..]),
        };
    }

    /// <summary>Bytes from the first number to the last.</summary>
    public long TensorBytes => (long)ElementBytes * Sizes[0] + Strides.Select((stride, d) => stride * (Sizes[d + 1] - 1)).Sum();

    /// <summary>Bytes of one line that a copy brings, the innermost numbers, and how many lines.</summary>
    internal int LineBytes => (IsIm2col ? ChannelsPerPixel : Box[0]) * ElementBytes;

    /// <inheritdoc cref="LineBytes"/>
    internal int Lines => IsIm2col ? PixelsPerColumn : Enumerable.Range(1, Box.Length - 1).Aggregate(1, (lines, d) => lines * Along(d));

    /// <summary>How many numbers of a box come along a dimension.</summary>
    private int Along(int dimension) => (Box[dimension] + ElementStrides[dimension] - 1) / ElementStrides[dimension];

    /// <summary>Where each line of a copy begins in the tensor, dimension by dimension.</summary>
    /// <param name="start">The coordinates of the instruction.</param>
    /// <param name="offsets">Of im2col: what is added to columns, rows …: the tap.</param>
    internal IEnumerable<int[]> LinesAt(int[] start, int[] offsets) => IsIm2col ? Pixels(start, offsets) : BoxLines(start);

    private IEnumerable<int[]> BoxLines(int[] start)
    {
        for (int line = 0; line < Lines; line++)
        {
            int[] at = [.. start];
            int left = line;
            for (int d = 1; d < Box.Length; d++)
            {
                at[d] += left % Along(d) * ElementStrides[d];
                left /= Along(d);
            }
            yield return at;
        }
    }

    /// <summary>Pixel after pixel through the box, column by column, then the next row, then the next image.</summary>
    private IEnumerable<int[]> Pixels(int[] start, int[] offsets)
    {
        int[] at = [.. start];
        for (int pixel = 0; pixel < PixelsPerColumn; pixel++)
        {
            yield return [.. at.Select((x, d) => d >= 1 && d <= offsets.Length ? x + offsets[d - 1] : x)];
            for (int d = 1; d < at.Length; d++)
            {
                bool image = d == at.Length - 1;
                at[d] += image ? 1 : ElementStrides[d];
                if (image || at[d] < Sizes[d] + UpperCorner[d - 1])
                    break;
                at[d] = LowerCorner[d - 1];
            }
        }
    }

    /// <summary>Byte of a number in memory; null where it lies beside the tensor.</summary>
    internal ulong? AddressOf(int[] at)
    {
        ulong address = Address;
        for (int d = 0; d < at.Length; d++)
        {
            if (at[d] < 0 || at[d] >= Sizes[d])
                return null;
            address += (ulong)at[d] * (ulong)(d == 0 ? ElementBytes : Strides[d - 1]);
        }
        return address;
    }
}
