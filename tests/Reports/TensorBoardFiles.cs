using System.Buffers.Binary;
using Google.Protobuf;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Reports;

/// <summary>Event files for TensorBoard, read back by the published format.</summary>
public sealed class TensorBoardFiles
{
    [Test]
    public void Checksum_is_the_one_that_the_format_asks_for()
    {
        // CRC-32C of "123456789" is 0xE3069283; masked: rotated right by 15 bits, plus a constant.
        var crc = 0xE3069283;
        Assert.That(TensorBoardWriter.MaskedCrc("123456789"u8), Is.EqualTo(unchecked((crc >> 15 | crc << 17) + 0xA282EAD8)));
    }

    [Test]
    public void Scalars_come_back_with_step_time_and_name()
    {
        using var folder = new TemporaryFolder();
        string path;
        using (var writer = new TensorBoardWriter(folder["run"], new FixedClock()))
        {
            path = writer.Path;
            writer.Scalars(0, ("loss", 0.25));
            writer.Scalars(70_000_000_000, ("recall/1", 0.5), ("recall/größer", double.NaN));
        }

        Assert.That(Path.GetFileName(path), Does.StartWith("events.out.tfevents.1700000000."));
        var events = Read(path);
        Assert.That(events, Has.Count.EqualTo(3));
        Assert.That((events[0].Version, events[0].WallTime), Is.EqualTo(("brain.Event:2", 1_700_000_000.5)));
        Assert.That(events[1].Values, Is.EqualTo(new[] { ("loss", 0.25f) }));
        Assert.That(events[2].Step, Is.EqualTo(70_000_000_000));
        Assert.That(events[2].Values, Is.EqualTo(new[] { ("recall/1", 0.5f), ("recall/größer", float.NaN) }));
    }

    [Test]
    public void Every_call_can_be_read_at_once()
    {
        using var folder = new TemporaryFolder();
        using var writer = new TensorBoardWriter(folder.Path);
        for (var i = 1; i <= 3; i++)
        {
            writer.Scalars(i, ("x", i));
            Assert.That(Read(writer.Path), Has.Count.EqualTo(i + 1));
        }
    }

    [Test]
    public void Two_writers_in_one_folder_do_not_meet()
    {
        using var folder = new TemporaryFolder();
        using var first = new TensorBoardWriter(folder.Path, new FixedClock());
        using var second = new TensorBoardWriter(folder.Path, new FixedClock());
        Assert.That(first.Path, Is.Not.EqualTo(second.Path));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "in the way");
        Assert.That(
            () => new TensorBoardWriter(folder["file/run"]),
            Throws.TypeOf<UserErrorException>().With.Message.StartWith($"The folder {folder["file/run"]} cannot be written for TensorBoard"));
    }

    private static List<Event> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        List<Event> events = [];
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)), Is.EqualTo(TensorBoardWriter.MaskedCrc(bytes.AsSpan(at, 8))));
            Assert.That(
                BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)), Is.EqualTo(TensorBoardWriter.MaskedCrc(bytes.AsSpan(at + 12, length))));
            events.Add(Event.Parse(bytes.AsSpan(at + 12, length).ToArray()));
            at += 12 + length + 4;
        }

        return events;
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
    }

    /// <summary>tensorflow.Event, as far as it is written.</summary>
    private sealed record Event(double WallTime, long Step, string? Version, List<(string Tag, float Value)> Values)
    {
        public static Event Parse(byte[] message)
        {
            var result = new Event(0, 0, null, []);
            var input = new CodedInputStream(message);
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case 1: result = result with { WallTime = input.ReadDouble() }; break;
                    case 2: result = result with { Step = input.ReadInt64() }; break;
                    case 3: result = result with { Version = input.ReadString() }; break;
                    case 5: Summary(input.ReadBytes().ToByteArray(), result.Values); break;
                    default: Assert.Fail($"unknown field, tag {tag}"); break;
                }
            }

            return result;
        }

        private static void Summary(byte[] message, List<(string, float)> values)
        {
            var input = new CodedInputStream(message);
            while (input.ReadTag() is var tag && tag != 0)
            {
                Assert.That(WireFormat.GetTagFieldNumber(tag), Is.EqualTo(1));
                var value = new CodedInputStream(input.ReadBytes().ToByteArray());
                Assert.That(WireFormat.GetTagFieldNumber(value.ReadTag()), Is.EqualTo(1));
                var name = value.ReadString();
                Assert.That(WireFormat.GetTagFieldNumber(value.ReadTag()), Is.EqualTo(2));
                values.Add((name, value.ReadFloat()));
                Assert.That(value.IsAtEnd);
            }
        }
    }
}
