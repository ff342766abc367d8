using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>
/// Reads one array of a level 5 file, element by element, front to back. Every size is held against what is left of the element around it before memory is taken for it, so that a number in a
/// file can claim no more than the file holds.
/// </summary>
/// <param name="stream">The array's bytes, as they are or as they are inflated.</param>
/// <param name="reversed">Whether the file's bytes lie in the other order than this machine's.</param>
/// <param name="path">For messages.</param>
internal sealed class MatlabReader(Stream stream, bool reversed, string path)
{
    /// <summary>Type of an element that is an array.</summary>
    public const int Matrix = 14;

    // The format's classes of arrays and flags.
    private const int CellClass = 1, StructClass = 2, ObjectClass = 3, CharClass = 4, SparseClass = 5, FirstNumberClass = 6, SingleClass = 7, LastNumberClass = 15, FunctionClass = 16, OpaqueClass = 17;
    private const uint ComplexFlag = 0x800;

    // Types of elements that hold text.
    private const int Signed8 = 1, Unsigned8 = 2, Signed16 = 3, Unsigned16 = 4, Signed32 = 5, Unsigned32 = 6, Utf8 = 16, Utf16 = 17, Utf32 = 18;

    // Networks nest six deep; a hostile file shall not exhaust the stack.
    private const int Deepest = 64;

    // Names of arrays, classes and fields: MATLAB's own limit is 63 characters, other writers' are looser.
    private const int LongestName = 4096, MostSizes = 64;

    private const int Portion = 1 << 16;

    private readonly byte[] small = new byte[8];
    private long at;

    /// <param name="Bytes">Without padding.</param>
    /// <param name="IsSmall">The data came with the tag, in its second half.</param>
    private readonly record struct Tag(int Type, long Bytes, bool IsSmall);

    /// <summary>Reads an array of so many bytes, or passes over it.</summary>
    /// <param name="wanted">Asked for the array's name; one that is not wanted has no value.</param>
    /// <exception cref="UserErrorException">It is broken.</exception>
    public (string Name, MatlabValue? Value) ReadArray(long bytes, Func<string, bool>? wanted = null) => ReadArray(bytes, 0, wanted);

    private (string Name, MatlabValue? Value) ReadArray(long bytes, int depth, Func<string, bool>? wanted)
    {
        long end = at + bytes;
        // An empty place in a cell array.
        if (bytes == 0)
            return ("", new MatlabNumbers([0, 0], Array.Empty<double>()));
        if (depth > Deepest)
            throw Broken($"its arrays lie more than {Deepest} deep in one another");
        uint[] flags = ReadWords(end, Unsigned32, 2, "the flags");
        int kind = (int)(flags[0] & 0xFF);
        // An object of a class of MATLAB's newer kind has no sizes.
        int[] shape = kind == OpaqueClass ? [] : ReadShape(end);
        string name = ReadName(end);
        var value = wanted?.Invoke(name) == false ? null : ReadValue(kind, (flags[0] & ComplexFlag) != 0, shape, name, end, depth);
        Skip(end - at);
        return (name, value);
    }

    private MatlabValue ReadValue(int kind, bool complex, int[] shape, string name, long end, int depth)
    {
        switch (kind)
        {
            case CellClass:
                return new MatlabCells(shape, ReadValues(CountOf(shape, name), end, depth, name));
            case StructClass:
                string[] fields = ReadFields(end, name);
                return new MatlabStruct(shape, fields, ReadValues(CountOf(shape, name) * fields.Length, end, depth, name));
            case CharClass:
                return new MatlabText(shape, ReadText(shape, end, name));
            case >= FirstNumberClass and <= LastNumberClass when complex:
                return new MatlabOther("complex numbers");
            case >= FirstNumberClass and <= LastNumberClass:
                return ReadNumbers(kind == SingleClass, shape, end, name);
            case SparseClass:
                return new MatlabOther("a sparse matrix");
            case FunctionClass:
                return new MatlabOther("a function");
            case ObjectClass:
                string old = ReadName(end);
                return new MatlabOther($"an object of class {old}", old);
            case OpaqueClass:
                // The name of the type system comes first, then the class.
                ReadName(end);
                string className = ReadName(end);
                return new MatlabOther($"an object of class {className}", className);
            default:
                throw Broken($"{Named(name)} is of class {kind}, which the format does not know");
        }
    }

    private MatlabValue[] ReadValues(long count, long end, int depth, string name)
    {
        // Each has a tag at least.
        if (count > (end - at) / 8)
            throw Broken($"{Named(name)} claims {count} parts in {end - at} bytes");
        var values = new MatlabValue[count];
        for (long i = 0; i < count; i++)
        {
            var tag = ReadTag(end);
            if (tag.Type != Matrix || tag.IsSmall)
                throw Broken($"{Named(name)} holds an element of type {tag.Type} where an array must be");
            values[i] = ReadArray(tag.Bytes, depth + 1, null).Value!;
        }
        return values;
    }

    private string[] ReadFields(long end, string name)
    {
        uint length = ReadWords(end, Signed32, 1, "the length of field names")[0];
        var tag = ReadTag(end);
        if (length is 0 or > LongestName || tag.Bytes % length != 0)
            throw Broken($"{Named(name)} has field names of {length} bytes in {tag.Bytes}");
        byte[] bytes = ReadBytes(tag);
        var fields = new string[bytes.Length / length];
        for (int i = 0; i < fields.Length; i++)
        {
            var field = bytes.AsSpan((int)(i * length), (int)length);
            fields[i] = Encoding.Latin1.GetString(field.IndexOf((byte)0) is >= 0 and var zero ? field[..zero] : field);
        }
        return fields;
    }

    private MatlabNumbers ReadNumbers(bool single, int[] shape, long end, string name)
    {
        long count = CountOf(shape, name);
        var tag = ReadTag(end);
        var type = MatlabNumberType.Find(tag.Type) ?? throw Broken($"{Named(name)} holds numbers of type {tag.Type}, which the format does not know");
        if (tag.Bytes != count * type.Bytes)
            throw Broken($"{Named(name)} of {string.Join('×', shape)} needs {count * type.Bytes} bytes and has {tag.Bytes}");
        if (count > Array.MaxLength)
            throw Broken($"{Named(name)} claims more numbers than can be read at once");
        if (single)
        {
            var singles = new float[count];
            ReadPortions(tag, type.Bytes, (first, bytes) => type.Decode(bytes, singles.AsSpan(first, bytes.Length / type.Bytes)));
            return new(shape, singles);
        }
        var doubles = new double[count];
        ReadPortions(tag, type.Bytes, (first, bytes) => type.Decode(bytes, doubles.AsSpan(first, bytes.Length / type.Bytes)));
        return new(shape, doubles);
    }

    private string ReadText(int[] shape, long end, string name)
    {
        long count = CountOf(shape, name);
        var tag = ReadTag(end);
        if (count > tag.Bytes || tag.Bytes > int.MaxValue / 4)
            throw Broken($"{Named(name)} claims {count} characters in {tag.Bytes} bytes");
        byte[] bytes = ReadBytes(tag);
        string text = tag.Type switch
        {
            Utf8 => Encoding.UTF8.GetString(bytes),
            Signed8 or Unsigned8 => Encoding.Latin1.GetString(bytes),
            Signed16 or Unsigned16 or Utf16 => (BitConverter.IsLittleEndian != reversed ? Encoding.Unicode : Encoding.BigEndianUnicode).GetString(bytes),
            Utf32 => new UTF32Encoding(BitConverter.IsLittleEndian == reversed, false).GetString(bytes),
            _ => throw Broken($"{Named(name)} holds text of type {tag.Type}, which the format does not know"),
        };
        if (shape[0] <= 1 || text.Length != count)
            return text;
        // Several lines lie column by column.
        var lines = new char[text.Length];
        for (int i = 0, columns = text.Length / shape[0]; i < lines.Length; i++)
            lines[i % shape[0] * columns + i / shape[0]] = text[i];
        return new(lines);
    }

    private int[] ReadShape(long end)
    {
        var tag = ReadTag(end);
        if (tag.Type != Signed32 || tag.Bytes is < 8 or > 4 * MostSizes || tag.Bytes % 4 != 0)
            throw Broken($"an array has sizes of type {tag.Type} in {tag.Bytes} bytes");
        int[] shape = [.. Words(ReadBytes(tag)).Select(w => (int)w)];
        return shape.All(n => n >= 0) ? shape : throw Broken($"an array has the sizes {string.Join('×', shape)}");
    }

    /// <summary>Product of the sizes; an array may be empty whatever else they are.</summary>
    private long CountOf(int[] shape, string name)
    {
        if (shape.Contains(0))
            return 0;
        long count = 1;
        foreach (int n in shape)
        {
            count *= n;
            // Elements have 32 bits for their length.
            if (count > uint.MaxValue)
                throw Broken($"{Named(name)} claims the sizes {string.Join('×', shape)}");
        }
        return count;
    }

    private string ReadName(long end)
    {
        var tag = ReadTag(end);
        if (tag.Type is not (Signed8 or Unsigned8 or Utf8) || tag.Bytes > LongestName)
            throw Broken($"a name is of type {tag.Type} in {tag.Bytes} bytes");
        return Encoding.UTF8.GetString(ReadBytes(tag));
    }

    private uint[] ReadWords(long end, int type, int count, string what)
    {
        var tag = ReadTag(end);
        if (tag.Type != type || tag.Bytes != 4 * count)
            throw Broken($"{what} of an array are of type {tag.Type} in {tag.Bytes} bytes");
        return Words(ReadBytes(tag));
    }

    private Tag ReadTag(long end)
    {
        if (end - at < 8)
            throw Broken($"an element of it ends before what belongs to it, {end - at} bytes after it began");
        Read(small.AsSpan(0, 8));
        uint first = Word(small), second = Word(small.AsSpan(4));
        if (first >> 16 is > 0 and var bytes)
            return bytes <= 4 ? new((int)(first & 0xFFFF), bytes, true) : throw Broken($"an element of {bytes} bytes claims to fit into 4");
        return second <= end - at ? new((int)first, second, false) : throw Broken($"an element claims {second} bytes of the {end - at} around it");
    }

    /// <summary>All of an element whose length was found good.</summary>
    private byte[] ReadBytes(Tag tag)
    {
        if (tag.IsSmall)
            return small[4..(int)(4 + tag.Bytes)];
        var bytes = new byte[tag.Bytes];
        Read(bytes);
        SkipPadding(tag.Bytes);
        return bytes;
    }

    private delegate void Take(int first, ReadOnlySpan<byte> bytes);

    /// <summary>Hands out an element's numbers, in this machine's order.</summary>
    private void ReadPortions(Tag tag, int size, Take take)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            if (tag.IsSmall)
                small.AsSpan(4, (int)tag.Bytes).CopyTo(buffer);
            for (long done = 0; done < tag.Bytes; done += Portion)
            {
                var bytes = buffer.AsSpan(0, (int)Math.Min(Portion, tag.Bytes - done));
                if (!tag.IsSmall)
                    Read(bytes);
                if (reversed)
                    for (int i = 0; i < bytes.Length; i += size)
                        bytes.Slice(i, size).Reverse();
                take((int)(done / size), bytes);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (!tag.IsSmall)
            SkipPadding(tag.Bytes);
    }

    private void SkipPadding(long bytes) => Skip((8 - bytes % 8) % 8, orToTheEnd: true);

    /// <param name="orToTheEnd">The last element of a file may lack its padding.</param>
    private void Skip(long bytes, bool orToTheEnd = false)
    {
        if (bytes < 0)
            throw Broken("an array is longer than the element that holds it");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            for (long left = bytes; left > 0;)
            {
                int read = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                if (read == 0 && !orToTheEnd)
                    throw Broken("it ends in the middle of an array");
                if (read == 0)
                    break;
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        at += bytes;
    }

    private void Read(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Broken("it ends in the middle of an array");
        at += bytes.Length;
    }

    private uint[] Words(byte[] bytes) => [.. Enumerable.Range(0, bytes.Length / 4).Select(i => Word(bytes.AsSpan(4 * i)))];

    private uint Word(ReadOnlySpan<byte> bytes)
    {
        uint word = BitConverter.ToUInt32(bytes);
        return reversed ? BinaryPrimitives.ReverseEndianness(word) : word;
    }

    private static string Named(string name) => name.Length > 0 ? $"the array {name}" : "an array in it";

    private UserErrorException Broken(string how) => MatlabFile.Broken(path, how);
}
