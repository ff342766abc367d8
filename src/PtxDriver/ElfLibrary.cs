using System.Buffers.Binary;
using System.Text;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// Writes a shared library for Linux on x86-64 that does nothing but pass calls on: each exported name is one jump through a table, which is exported too and filled once the library is loaded. So what
/// is written in C# can stand behind a library's name, without a compiler at hand. ELF's specification and the System V ABI describe the form.
/// <code>
/// read and run:    header ▏program headers ▏hash ▏symbols ▏names ▏jumps, 8 bytes each
/// read and write:  dynamic section ▏table of targets
/// </code>
/// </summary>
internal static class ElfLibrary
{
    /// <summary>Under which the loader keeps it, and finds it again whoever asks.</summary>
    public const string Soname = "libcuda.so.1";

    /// <summary>The exported table: an address for each name, in their order.</summary>
    public const string TargetsName = "ptx_driver_targets";

    private const int HeaderBytes = 64, ProgramHeaderBytes = 56, ProgramHeaders = 4, SymbolBytes = 24, JumpBytes = 8, AddressBytes = 8, Page = 4096;

    private enum Segment
    {
        Load = 1,
        Dynamic = 2,
        GnuStack = 0x6474e551,
    }

    private enum Tag
    {
        Null = 0,
        Hash = 4,
        StringTable = 5,
        SymbolTable = 6,
        StringBytes = 10,
        SymbolEntry = 11,
        Soname = 14,
    }

    /// <param name="names">To be exported.</param>
    public static byte[] Write(IReadOnlyList<string> names)
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        // Symbol 0 is none.
        int symbols = names.Count + 2, soname = Append(strings, Soname);
        int[] nameAt = [.. names.Append(TargetsName).Select(name => Append(strings, name))];
        int hashAt = HeaderBytes + ProgramHeaders * ProgramHeaderBytes, hashBytes = 4 * (2 + 1 + symbols);
        int symbolsAt = Aligned(hashAt + hashBytes, 8), stringsAt = symbolsAt + symbols * SymbolBytes, jumpsAt = Aligned(stringsAt + (int)strings.Length, 16);
        int codeEnd = jumpsAt + names.Count * JumpBytes, dynamicAt = Aligned(codeEnd, Page);
        (Tag Tag, long Value)[] dynamic =
        [
            (Tag.Hash, hashAt), (Tag.SymbolTable, symbolsAt), (Tag.StringTable, stringsAt), (Tag.StringBytes, strings.Length), (Tag.SymbolEntry, SymbolBytes), (Tag.Soname, soname), (Tag.Null, 0),
        ];
        int targetsAt = dynamicAt + dynamic.Length * 16, end = targetsAt + names.Count * AddressBytes;

        byte[] file = new byte[end];
        void Put2(int at, int value) => BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(at), (short)value);
        void Put4(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        void Put8(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), value);

        // 64 bits, little-endian, version 1; a shared object for x86-64.
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        Put2(16, 3);
        Put2(18, 62);
        Put4(20, 1);
        Put8(32, HeaderBytes);
        Put2(52, HeaderBytes);
        Put2(54, ProgramHeaderBytes);
        Put2(56, ProgramHeaders);
        int header = HeaderBytes;
        void Program(Segment type, int flags, int at, int bytes, int alignment)
        {
            Put4(header, (int)type);
            Put4(header + 4, flags);
            Put8(header + 8, at);
            Put8(header + 16, at);
            Put8(header + 24, at);
            Put8(header + 32, bytes);
            Put8(header + 40, bytes);
            Put8(header + 48, alignment);
            header += ProgramHeaderBytes;
        }
        const int Run = 1, Written = 2, Read = 4;
        Program(Segment.Load, Read | Run, 0, codeEnd, Page);
        Program(Segment.Load, Read | Written, dynamicAt, end - dynamicAt, Page);
        Program(Segment.Dynamic, Read | Written, dynamicAt, targetsAt - dynamicAt, AddressBytes);
        // Without it the loader would make every stack one that can be run.
        Program(Segment.GnuStack, Read | Written, 0, 0, 16);

        // One bucket, which leads from each symbol to the next.
        Put4(hashAt, 1);
        Put4(hashAt + 4, symbols);
        Put4(hashAt + 8, 1);
        for (int i = 1; i < symbols - 1; i++)
            Put4(hashAt + 12 + 4 * i, i + 1);
        void Symbol(int index, int type, int section, int at, int bytes)
        {
            int entry = symbolsAt + (index + 1) * SymbolBytes;
            Put4(entry, nameAt[index]);
            file[entry + 4] = (byte)(1 << 4 | type); // global
            Put2(entry + 6, section);
            Put8(entry + 8, at);
            Put8(entry + 16, bytes);
        }
        const int Data = 1, Function = 2;
        for (int i = 0; i < names.Count; i++)
        {
            int jump = jumpsAt + i * JumpBytes;
            Symbol(i, Function, 1, jump, JumpBytes);
            // jmp *[rip + distance]
            (file[jump], file[jump + 1]) = (0xFF, 0x25);
            Put4(jump + 2, targetsAt + i * AddressBytes - (jump + 6));
        }
        Symbol(names.Count, Data, 2, targetsAt, names.Count * AddressBytes);
        strings.ToArray().CopyTo(file, stringsAt);
        for (int i = 0; i < dynamic.Length; i++)
        {
            Put8(dynamicAt + 16 * i, (long)dynamic[i].Tag);
            Put8(dynamicAt + 16 * i + 8, dynamic[i].Value);
        }
        return file;
    }

    private static int Append(MemoryStream strings, string name)
    {
        int at = (int)strings.Length;
        strings.Write(Encoding.ASCII.GetBytes(name + '\0'));
        return at;
    }

    private static int Aligned(int at, int to) => (at + to - 1) / to * to;
}
