using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>
/// Writes numbers over time for TensorBoard. Every call is in the file before it returns, so that a run can be watched, and a run that is broken
/// off loses nothing. Several files in one folder are one run: a resumed one goes on in a file of its own.
/// </summary>
public sealed class TensorBoardWriter : IDisposable
{
    // Field numbers of tensorflow.Event, Summary and Summary.Value.
    private const int WallTime = 1, Step = 2, FileVersion = 3, SummaryField = 5, Value = 1, Tag = 1, SimpleValue = 2;
    private readonly FileStream file;
    private readonly TimeProvider clock;

    /// <param name="folder">Made if it is not there.</param>
    /// <param name="clock">Where the times come from; null is the machine's clock.</param>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public TensorBoardWriter(string folder, TimeProvider? clock = null)
    {
        this.clock = clock ?? TimeProvider.System;
        try
        {
            Directory.CreateDirectory(folder);
            // TensorBoard orders files by this name, and tells runs within one second apart by what follows.
            var seconds = this.clock.GetUtcNow().ToUnixTimeSeconds().ToString("0000000000", CultureInfo.InvariantCulture);
            Path = System.IO.Path.Combine(folder, $"events.out.tfevents.{seconds}.netvlad.{Guid.NewGuid():N}");
            file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"The folder {folder} cannot be written for TensorBoard ({e.Message.TrimEnd('.')}); name another place.", e);
        }

        Write(output =>
        {
            output.WriteTag(FileVersion, WireFormat.WireType.LengthDelimited);
            output.WriteString("brain.Event:2");
        });
    }

    /// <summary>The file that is written.</summary>
    public string Path { get; }

    /// <summary>Adds numbers of one step.</summary>
    /// <param name="step">What the horizontal axis counts; need not be consecutive.</param>
    /// <param name="values">Name, with / between groups ("recall/5"), and number.</param>
    /// <exception cref="UserErrorException">The disk is full, or the file has become unwritable.</exception>
    public void Scalars(long step, params ReadOnlySpan<(string Tag, double Value)> values)
    {
        using var summary = new MemoryStream();
        foreach (var (tag, value) in values)
        {
            var message = Message(output =>
            {
                output.WriteTag(Tag, WireFormat.WireType.LengthDelimited);
                output.WriteString(tag);
                output.WriteTag(SimpleValue, WireFormat.WireType.Fixed32);
                output.WriteFloat((float)value);
            });
            summary.Write(Message(output =>
            {
                output.WriteTag(Value, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(ByteString.CopyFrom(message));
            }));
        }

        var bytes = ByteString.CopyFrom(summary.ToArray());
        Write(output =>
        {
            output.WriteTag(Step, WireFormat.WireType.Varint);
            output.WriteInt64(step);
            output.WriteTag(SummaryField, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(bytes);
        });
    }

    public void Dispose() => file.Dispose();

    /// <summary>The checksum of a record: CRC-32C, rotated and shifted, since a checksum of data that holds checksums would be weak.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8;
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
            write(output);
        return stream.ToArray();
    }

    /// <summary>One record: length, checksum of the length, the event, checksum of the event.</summary>
    private void Write(Action<CodedOutputStream> fields)
    {
        var message = Message(output =>
        {
            output.WriteTag(WallTime, WireFormat.WireType.Fixed64);
            output.WriteDouble((clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
            fields(output);
        });
        var record = new byte[12 + message.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        message.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + message.Length), MaskedCrc(message));
        try
        {
            file.Write(record);
            file.Flush();
        }
        catch (IOException e)
        {
            throw new UserErrorException($"{Path} cannot be written ({e.Message.TrimEnd('.')}); free some space.", e);
        }
    }
}
