using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Scalars for TensorBoard: records of length, checksum, a protobuf <c>Event</c>, checksum. The event's wall time is its step, so that two runs of one
/// seed write the same bytes.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private readonly FileStream file;

    public EventFile(string path)
    {
        file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        file.Seek(0, SeekOrigin.End);
        if (file.Length == 0)
            // Event { wall_time = 1, file_version = 3 }
            WriteRecord(o =>
            {
                o.WriteTag(1, WireFormat.WireType.Fixed64);
                o.WriteDouble(0);
                o.WriteTag(3, WireFormat.WireType.LengthDelimited);
                o.WriteString("brain.Event:2");
            });
    }

    public void Write(string tag, long step, float value)
    {
        // Summary { value = 1: Value { tag = 1, simple_value = 2 } } in Event { wall_time = 1, step = 2, summary = 5 }
        byte[] scalar = Message(o =>
        {
            o.WriteTag(1, WireFormat.WireType.LengthDelimited);
            o.WriteString(tag);
            o.WriteTag(2, WireFormat.WireType.Fixed32);
            o.WriteFloat(value);
        });
        byte[] summary = Message(o =>
        {
            o.WriteTag(1, WireFormat.WireType.LengthDelimited);
            o.WriteBytes(ByteString.CopyFrom(scalar));
        });
        WriteRecord(o =>
        {
            o.WriteTag(1, WireFormat.WireType.Fixed64);
            o.WriteDouble(step);
            o.WriteTag(2, WireFormat.WireType.Varint);
            o.WriteInt64(step);
            o.WriteTag(5, WireFormat.WireType.LengthDelimited);
            o.WriteBytes(ByteString.CopyFrom(summary));
        });
    }

    /// <summary>Bytes on disk after everything written so far.</summary>
    public long Flush()
    {
        file.Flush(flushToDisk: true);
        return file.Length;
    }

    public void Dispose() => file.Dispose();

    private void WriteRecord(Action<CodedOutputStream> fill)
    {
        byte[] data = Message(fill);
        var frame = new byte[12 + data.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(frame, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), Checksum(frame.AsSpan(0, 8)));
        data.CopyTo(frame, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(12 + data.Length), Checksum(data));
        file.Write(frame);
    }

    private static byte[] Message(Action<CodedOutputStream> fill)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true))
            fill(output);
        return memory.ToArray();
    }

    /// <summary>CRC-32C, masked as TensorFlow's record files do.</summary>
    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
            crc = BitOperations.Crc32C(crc, b);
        crc = ~crc;
        return uint.RotateRight(crc, 15) + 0xA282EAD8;
    }
}
