using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace IlgpuNetVlad.Tests.Matlab;

/// <summary>MATLAB's level 5 by hand, in either order of bytes.</summary>
internal sealed class MatlabBytes(bool bigEndian = false)
{
    public const int Matrix = 14, Cell = 1, Struct = 2, Object = 3, Char = 4, Sparse = 5, Double = 6, Single = 7, UInt8 = 9, Function = 16, Opaque = 17;

    public byte[] File(params byte[][] elements)
    {
        var header = new byte[128];
        header.AsSpan().Fill((byte)' ');
        "MATLAB 5.0 MAT-file, by hand"u8.CopyTo(header);
        header.AsSpan(116, 8).Clear();
        (header[124], header[125], header[126], header[127]) = bigEndian ? ((byte)1, (byte)0, (byte)'M', (byte)'I') : ((byte)0, (byte)1, (byte)'I', (byte)'M');
        return [.. header, .. elements.SelectMany(e => e)];
    }

    /// <summary>A tag, and data padded to a multiple of 8 bytes.</summary>
    /// <param name="claimed">Length in the tag; the data's without it.</param>
    public byte[] Element(int type, byte[] data, uint? claimed = null) => [.. Words((uint)type, claimed ?? (uint)data.Length), .. data, .. new byte[(8 - data.Length % 8) % 8]];

    /// <summary>At most 4 bytes, in the tag itself.</summary>
    public byte[] Small(int type, params byte[] data) => [.. Words((uint)(data.Length << 16 | type)), .. data, .. new byte[4 - data.Length]];

    public byte[] Compressed(byte[] element)
    {
        var bytes = new MemoryStream();
        using (var zlib = new ZLibStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(element);
        return [.. Words(15, (uint)bytes.Length), .. bytes.ToArray()];
    }

    /// <summary>An array with flags, sizes, name and whatever its class has behind them.</summary>
    public byte[] Array(int kind, int[] shape, string name, params byte[][] rest) => Element(Matrix, [.. Flags(kind), .. Shape(shape), .. Name(name), .. rest.SelectMany(r => r)]);

    public byte[] Flags(int kind, uint flags = 0) => Element(6, Words((uint)kind | flags, 0));

    public byte[] Shape(params int[] sizes) => Element(5, Words([.. sizes.Select(n => (uint)n)]));

    public byte[] Name(string name) => name.Length is > 0 and <= 4 ? Small(1, Encoding.ASCII.GetBytes(name)) : Element(1, Encoding.ASCII.GetBytes(name));

    /// <summary>Structures side by side.</summary>
    public byte[] Structs(string name, int[] shape, string[] fields, params byte[][] values)
        => Array(Struct, shape, name, [Small(5, Words(32)), Element(1, [.. fields.SelectMany(f => Encoding.ASCII.GetBytes(f.PadRight(32, '\0')))]), .. values]);

    public byte[] Text(string name, string text) => Array(Char, [1, text.Length], name, Element(4, Numbers([.. text.Select(c => (ushort)c)])));

    public byte[] Cells(string name, int[] shape, params byte[][] values) => Array(Cell, shape, name, values);

    public byte[] Doubles(string name, int[] shape, params double[] values) => Array(Double, shape, name, Element(9, Numbers(values)));

    /// <summary>Numbers as they lie in the file.</summary>
    public byte[] Numbers<T>(params T[] values)
        where T : unmanaged
    {
        byte[] bytes = MemoryMarshal.AsBytes<T>(values).ToArray();
        for (int i = 0; bigEndian && i < bytes.Length; i += Unsafe.SizeOf<T>())
            bytes.AsSpan(i, Unsafe.SizeOf<T>()).Reverse();
        return bytes;
    }

    public byte[] Words(params uint[] words)
    {
        var bytes = new byte[4 * words.Length];
        for (int i = 0; i < words.Length; i++)
            if (bigEndian)
                BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i), words[i]);
            else
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), words[i]);
        return bytes;
    }
}
