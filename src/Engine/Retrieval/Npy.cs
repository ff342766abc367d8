using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Descriptors as NumPy's <c>.npy</c> (format 1.0 to 3.0, little-endian float32, C order, two dimensions), with the rows' names one a line
/// in a <c>.txt</c> of the same name beside it: <c>numpy.load</c> reads them.
/// </summary>
public static partial class Npy
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The file of the rows' names: of the same name as the descriptors', ending in <c>.txt</c>.</summary>
    public static string NamesOf(string path) => Path.ChangeExtension(path, ".txt");

    /// <summary>Finds before the work whether both files can be written at <paramref name="path"/>, and that neither would take the place of one that somebody else wrote.</summary>
    /// <param name="list">The list of images, or whatever else the rows are made from, which must stay; null for none.</param>
    /// <exception cref="UserErrorException">They cannot, or it would.</exception>
    public static void Check(string path, string? list = null)
    {
        path = Path.GetFullPath(path);
        string names = NamesOf(path);
        if (Path.GetExtension(path).Equals(".txt", StringComparison.OrdinalIgnoreCase))
            throw new UserErrorException($"{path} ends in .txt, where the names of the rows go: let the descriptors' file end in .npy.");
        AtomicFile.Check(path);
        AtomicFile.Check(names);
        // The list may be named by a link to it.
        if (list is not null && File.Exists(names) && new[] { Path.GetFullPath(list), File.ResolveLinkTarget(list, returnFinalTarget: true)?.FullName }.Contains(names))
            throw new UserErrorException($"The names of the rows of {path} go to {names}, which is the list of images that you gave: name another output.");
        if (File.Exists(path) && !IsOurs(path))
            throw new UserErrorException($"{path} is there already and holds no descriptors: name another output, or remove it.");
        if (File.Exists(names) && !File.Exists(path))
            throw new UserErrorException($"The names of the rows of {path} go to {names}, which is there already without descriptors beside it: name another output, or remove it.");
    }

    /// <summary>Whether a file begins as descriptors do, or is empty, as one that was made to reserve a name.</summary>
    private static bool IsOurs(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var start = new byte[Magic.Length];
            int got = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            return got == 0 || start.AsSpan().SequenceEqual(Magic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes both files, each aside and then renamed: a broken run leaves no half file.</summary>
    /// <exception cref="UserErrorException">The folder cannot be written, or the disk is full.</exception>
    public static void Write(string path, DescriptorMatrix matrix)
    {
        if (matrix.Names is { } names)
            AtomicFile.WriteText(NamesOf(path), string.Concat(names.Select(name => name + "\n")));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(Header(matrix.Rows, matrix.Dimension));
            for (int i = 0; i < matrix.Rows; i++)
                stream.Write(MemoryMarshal.AsBytes(matrix.Row(i)));
        });
    }

    /// <summary>Writes both files while rows come, in any order; those that do not come are left out, and so are their names.</summary>
    /// <param name="names">Of all rows that may come.</param>
    /// <param name="rows">Hands each row over, by its number among the names, at most once.</param>
    /// <returns>How many came.</returns>
    /// <exception cref="UserErrorException">The folder cannot be written, or the disk is full.</exception>
    public static int Write(string path, IReadOnlyList<string> names, int dimension, Action<Action<int, ReadOnlySpan<float>>> rows)
    {
        var got = new bool[names.Count];
        long rowBytes = (long)dimension * sizeof(float);
        var header = Header(names.Count, dimension);
        int kept = 0;
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            rows((row, values) =>
            {
                stream.Position = header.Length + row * rowBytes;
                stream.Write(MemoryMarshal.AsBytes(values[..dimension]));
                got[row] = true;
            });
            kept = got.Count(g => g);
            if (kept < names.Count)
                CloseUp(stream, header.Length, rowBytes, got);
            // As long as the first: the data stays where it is.
            stream.Position = 0;
            stream.Write(Header(kept, dimension, header.Length));
            AtomicFile.WriteText(NamesOf(path), string.Concat(names.Where((_, i) => got[i]).Select(name => name + "\n")));
        });
        return kept;
    }

    /// <summary>Moves rows up over those that are missing.</summary>
    private static void CloseUp(Stream stream, long begin, long rowBytes, bool[] got)
    {
        var row = new byte[rowBytes];
        long to = 0;
        for (long from = 0; from < got.Length; from++)
        {
            if (!got[from])
                continue;
            if (to != from)
            {
                stream.Position = begin + from * rowBytes;
                stream.ReadExactly(row);
                stream.Position = begin + to * rowBytes;
                stream.Write(row);
            }
            to++;
        }
        stream.SetLength(begin + to * rowBytes);
    }

    /// <summary>Reads a matrix, and its names where a <c>.txt</c> with as many lines stands beside it.</summary>
    /// <exception cref="UserErrorException">The file is missing, cut short, or no float32 matrix in C order.</exception>
    public static DescriptorMatrix Read(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException($"There is no file {path}: write descriptors with `extract` first.");
        using var file = File.OpenRead(path);
        var (rows, dimension, offset) = ReadHeader(file, path);
        long expected = offset + (long)rows * dimension * sizeof(float);
        if (file.Length != expected)
            throw new UserErrorException(
                $"{path} is broken: its header promises {rows} × {dimension} numbers, {expected} bytes, and the file has {file.Length}; write it again.");
        string namesPath = NamesOf(path);
        string[]? names = File.Exists(namesPath) ? File.ReadAllLines(namesPath) : null;
        if (names is not null && names.Length != rows)
            throw new UserErrorException($"{namesPath} names {names.Length} images and {path} has {rows} rows: they belong to different runs; extract again.");
        var matrix = new DescriptorMatrix(rows, dimension, names);
        for (int i = 0; i < rows; i++)
            file.ReadExactly(MemoryMarshal.AsBytes(matrix.Row(i)));
        return matrix;
    }

    /// <summary>Magic, version 1.0, length, then a Python dictionary padded with spaces so that the data begins at a multiple of 64 bytes.</summary>
    /// <param name="atLeast">Bytes.</param>
    private static byte[] Header(int rows, int dimension, int atLeast = 0)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
        int length = Math.Max(atLeast, (10 + text.Length + 1 + 63) / 64 * 64);
        var bytes = new byte[length];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(length - 10));
        Array.Fill(bytes, (byte)' ', 10, length - 10);
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private static (int Rows, int Dimension, long Offset) ReadHeader(Stream file, string path)
    {
        var start = new byte[12];
        int got = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (got < start.Length || !start.AsSpan(0, 6).SequenceEqual(Magic) || start[6] is < 1 or > 3)
            throw new UserErrorException($"{path} is no .npy file: it does not begin as numpy.save writes it; give the file that `extract` wrote.");
        long length = start[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8)) : BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(8));
        int begin = start[6] == 1 ? 10 : 12;
        if (begin + length > file.Length || length > 1 << 20)
            throw new UserErrorException($"{path} is broken: its header ends after the file does; write it again.");
        var header = new byte[length];
        file.Position = begin;
        file.ReadExactly(header);
        string text = Encoding.UTF8.GetString(header);
        if (!FloatType().IsMatch(text))
            throw new UserErrorException($"{path} does not hold little-endian float32 numbers: save it with numpy's astype('<f4').");
        if (!RowMajor().IsMatch(text))
            throw new UserErrorException($"{path} is stored column by column: save it with numpy.ascontiguousarray.");
        var shape = TwoDimensions().Match(text);
        if (!shape.Success || !int.TryParse(shape.Groups[1].Value, out int rows) || !int.TryParse(shape.Groups[2].Value, out int dimension) || dimension < 1)
            throw new UserErrorException($"{path} is no matrix with one row an image: its shape must be (images, numbers).");
        return (rows, dimension, begin + length);
    }

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"][<=|]f4['"]""")]
    private static partial Regex FloatType();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*False""")]
    private static partial Regex RowMajor();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(\s*(\d+)L?\s*,\s*(\d+)L?\s*,?\s*\)""")]
    private static partial Regex TwoDimensions();
}
