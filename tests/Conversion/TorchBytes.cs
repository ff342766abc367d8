using System.IO.Compression;
using System.Text;

namespace IlgpuNetVlad.Tests.Conversion;

/// <summary>PyTorch's files by hand, operation by operation.</summary>
internal static class TorchBytes
{
    public static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Number(int number) => [(byte)'J', .. BitConverter.GetBytes(number)];

    public static byte[] Global(string module, string name) => [(byte)'c', .. Encoding.UTF8.GetBytes($"{module}\n{name}\n")];

    public static byte[] Tuple(params byte[][] values) => [(byte)'(', .. values.SelectMany(v => v), (byte)'t'];

    public static byte[] Storage(string key, int count, string kind = "FloatStorage") => [.. Tuple(Text("storage"), Global("torch", kind), Text(key), Text("cpu"), Number(count)), (byte)'Q'];

    public static byte[] Tensor(byte[] storage, int offset, int[] shape, int[] strides)
        => [.. Global("torch._utils", "_rebuild_tensor_v2"), .. Tuple(storage, Number(offset), Tuple([.. shape.Select(Number)]), Tuple([.. strides.Select(Number)]), [0x89], [(byte)'N']), (byte)'R'];

    public static byte[] Dictionary(params (string Key, byte[] Value)[] pairs) => [(byte)'}', (byte)'(', .. pairs.SelectMany(p => (byte[])[.. Text(p.Key), .. p.Value]), (byte)'u'];

    public static byte[] Pickle(byte[] value) => [0x80, 2, .. value, (byte)'.'];

    public static byte[] Zip(byte[] pickle, params (string Name, byte[] Bytes)[] data)
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in data.Prepend(("data.pkl", pickle)))
                using (var entry = zip.CreateEntry($"archive/{name}", CompressionLevel.NoCompression).Open())
                    entry.Write(content);
        return bytes.ToArray();
    }
}
