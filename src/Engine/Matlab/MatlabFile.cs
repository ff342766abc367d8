using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>
/// A file that MATLAB wrote with <c>save -v6</c> or <c>-v7</c>, which is level 5 of The MathWorks' "MAT-File Format": named arrays, one after the other, each as it is or deflated. Numbers of all
/// types, text, cells and structures are read, in both orders of bytes; what else there is (<see cref="MatlabOther"/>) is passed over.
/// </summary>
internal sealed class MatlabFile
{
    private const int HeaderBytes = 128, Compressed = 15;
    private const ushort Level5 = 0x0100, Level73 = 0x0200;

    private readonly string path;

    private MatlabFile(string path, IReadOnlyList<(string Name, MatlabValue Value)> variables) => (this.path, Variables) = (path, variables);

    /// <summary>What a file of HDF5 begins with, from its first byte or, as MATLAB writes it, behind a header of 512.</summary>
    private static ReadOnlySpan<byte> Hdf5 => [0x89, (byte)'H', (byte)'D', (byte)'F', 13, 10, 26, 10];

    /// <summary>In the file's order.</summary>
    public IReadOnlyList<(string Name, MatlabValue Value)> Variables { get; }

    /// <summary>The variable of that name, or null.</summary>
    public MatlabValue? Find(string name) => Variables.FirstOrDefault(v => v.Name == name).Value;

    /// <summary>Whether a file begins as one of MATLAB's does, or as one of HDF5, which newer ones are.</summary>
    public static bool IsOne(ReadOnlySpan<byte> beginning)
        => beginning.StartsWith(Hdf5) || beginning.Length >= HeaderBytes && beginning[126..128] is [(byte)'I', (byte)'M'] or [(byte)'M', (byte)'I'] && beginning.StartsWith("MATLAB"u8);

    /// <summary>Reads a file.</summary>
    /// <param name="wanted">Names of the variables to read; all without it.</param>
    /// <exception cref="UserErrorException">There is no such file, it is of another kind, or it is broken: one sentence names the file, the array and the fault.</exception>
    public static MatlabFile Read(string path, Func<string, bool>? wanted = null)
    {
        if (!File.Exists(path))
            throw new UserErrorException(Directory.Exists(path) ? $"{path} is a folder: name the .mat file in it." : $"There is no file {path}: check the path of the .mat file.");
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            bool reversed = ReadHeader(stream, path);
            var variables = new List<(string, MatlabValue)>();
            while (stream.Position < stream.Length)
                if (ReadVariable(stream, reversed, path, wanted) is (var name, { } value))
                    variables.Add((name, value));
            return new(path, variables);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);
        }
    }

    /// <param name="what">What the value is, for the message.</param>
    /// <exception cref="UserErrorException">It is something else, or missing.</exception>
    public MatlabNumbers Numbers(MatlabValue? value, string what) => Must<MatlabNumbers>(value, what, "numbers");

    /// <inheritdoc cref="Numbers"/>
    public string Text(MatlabValue? value, string what) => Must<MatlabText>(value, what, "text").Text;

    /// <inheritdoc cref="Numbers"/>
    public IReadOnlyList<MatlabValue> Cells(MatlabValue? value, string what) => Must<MatlabCells>(value, what, "a cell array").Values;

    /// <inheritdoc cref="Numbers"/>
    public MatlabStruct Struct(MatlabValue? value, string what)
        => Must<MatlabStruct>(value, what, "a structure") is { Count: > 0 } found ? found : throw new UserErrorException($"{what} in {path} is an empty structure: it is not what is asked for; name another file.");

    internal static UserErrorException Broken(string path, string how, Exception? inner = null) => new($"{path} is not a whole MATLAB file: {how}; fetch or save it again.", inner);

    private T Must<T>(MatlabValue? value, string what, string kind)
        where T : MatlabValue
        => value switch
        {
            T found => found,
            null => throw new UserErrorException($"{path} lacks {what}: it is not what is asked for; name another file."),
            MatlabOther { ClassName: not null } other => throw new UserErrorException($"{what} in {path} is {other.Kind}, which only MATLAB with that class can read: make a structure of it there, x = struct(x), and save again."),
            MatlabOther other => throw new UserErrorException($"{what} in {path} is {other.Kind}, which is not read here: make {kind} of it in MATLAB and save again."),
            _ => throw new UserErrorException($"{what} in {path} is {value.Kind} where {kind} must be: it is not what is asked for; name another file."),
        };

    /// <returns>Whether bytes lie in the other order than this machine's.</returns>
    private static bool ReadHeader(FileStream stream, string path)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        int read = stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
        if (header[..read].StartsWith(Hdf5))
            throw IsHdf5(path);
        if (read < HeaderBytes)
            throw Broken(path, $"it has {read} bytes, fewer than the {HeaderBytes} that the format begins with");
        bool? bigEndian = header[126..128] switch { [(byte)'I', (byte)'M'] => false, [(byte)'M', (byte)'I'] => true, _ => null };
        // A file of level 4 begins with a small number; text has no zeros there.
        if (bigEndian is null && header[..4].Contains((byte)0))
            throw new UserErrorException($"{path} seems to be a MATLAB file of level 4, or none: load it in MATLAB and save it with -v7.");
        if (bigEndian is null)
            throw new UserErrorException($"{path} is no MATLAB file: check which file it is.");
        ushort version = bigEndian == true ? BinaryPrimitives.ReadUInt16BigEndian(header[124..]) : BinaryPrimitives.ReadUInt16LittleEndian(header[124..]);
        return version switch
        {
            Level5 => bigEndian == BitConverter.IsLittleEndian,
            Level73 => throw IsHdf5(path),
            _ => throw Broken(path, $"its version is {version:x4}, not {Level5:x4}"),
        };
    }

    private static (string Name, MatlabValue? Value) ReadVariable(FileStream stream, bool reversed, string path, Func<string, bool>? wanted)
    {
        var (type, bytes) = ReadTag(stream, reversed) ?? throw Broken(path, $"{stream.Length - stream.Position} bytes at its end are none of an array");
        if (bytes > stream.Length - stream.Position)
            throw Broken(path, $"an element claims {bytes} bytes of the {stream.Length - stream.Position} that are left");
        if (type == MatlabReader.Matrix)
            return new MatlabReader(stream, reversed, path).ReadArray(bytes, wanted);
        if (type != Compressed)
            throw Broken(path, $"an element of type {type} stands where an array must be");
        long begin = stream.Position;
        try
        {
            long inflated = Inflated(stream, reversed, bytes, path);
            stream.Position = begin;
            using var zlib = Inflate(stream, bytes);
            _ = ReadTag(zlib, reversed);
            var variable = new MatlabReader(zlib, reversed, path).ReadArray(inflated, wanted);
            stream.Position = begin + bytes;
            return variable;
        }
        catch (InvalidDataException e)
        {
            throw Broken(path, "a deflated array cannot be inflated", e);
        }
    }

    /// <summary>
    /// Length of the array in a deflated element. A few bytes can claim gigabytes, so it is believed only after it has been inflated once into nothing: that takes a second or two for the largest of
    /// these files and no memory.
    /// </summary>
    private static long Inflated(FileStream stream, bool reversed, long bytes, string path)
    {
        using var zlib = Inflate(stream, bytes);
        var (type, claimed) = ReadTag(zlib, reversed) ?? throw Broken(path, "a deflated array ends before it begins");
        if (type != MatlabReader.Matrix)
            throw Broken(path, $"a deflated element of type {type} stands where an array must be");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        long found = 0;
        try
        {
            // Whatever is behind the claim is no part of it.
            for (int read; found < claimed && (read = zlib.Read(buffer, 0, (int)Math.Min(buffer.Length, claimed - found))) > 0;)
                found += read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return found == claimed ? claimed : throw Broken(path, $"a deflated array claims {claimed} bytes and has {found}");
    }

    private static ZLibStream Inflate(FileStream stream, long bytes) => new(new LimitedStream(stream, bytes), CompressionMode.Decompress);

    private static (int Type, long Bytes)? ReadTag(Stream stream, bool reversed)
    {
        Span<byte> tag = stackalloc byte[8];
        if (stream.ReadAtLeast(tag, tag.Length, throwOnEndOfStream: false) < tag.Length)
            return null;
        uint type = BitConverter.ToUInt32(tag), bytes = BitConverter.ToUInt32(tag[4..]);
        return reversed ? ((int)BinaryPrimitives.ReverseEndianness(type), BinaryPrimitives.ReverseEndianness(bytes)) : ((int)type, bytes);
    }

    private static UserErrorException IsHdf5(string path)
        => new($"{path} is a file of HDF5 (MATLAB's -v7.3), which is not read here: load it in MATLAB and save it with -v7.");
}
