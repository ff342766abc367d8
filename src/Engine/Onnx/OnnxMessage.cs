using Google.Protobuf;

namespace IlgpuNetVlad.Engine.Onnx;

/// <summary>A protobuf message under construction, field by field; the numbers are those of the ONNX format's definition.</summary>
internal sealed class OnnxMessage
{
    private readonly MemoryStream stream = new();

    public OnnxMessage Number(int field, long value) => Add(field, WireFormat.WireType.Varint, o => o.WriteInt64(value));

    public OnnxMessage Number(int field, float value) => Add(field, WireFormat.WireType.Fixed32, o => o.WriteFloat(value));

    public OnnxMessage Text(int field, string value) => Add(field, WireFormat.WireType.LengthDelimited, o => o.WriteString(value));

    public OnnxMessage Bytes(int field, ReadOnlySpan<byte> value)
    {
        var bytes = ByteString.CopyFrom(value);
        return Add(field, WireFormat.WireType.LengthDelimited, o => o.WriteBytes(bytes));
    }

    public OnnxMessage Message(int field, OnnxMessage value) => Bytes(field, value.ToArray());

    public byte[] ToArray() => stream.ToArray();

    private OnnxMessage Add(int field, WireFormat.WireType type, Action<CodedOutputStream> value)
    {
        using var output = new CodedOutputStream(stream, leaveOpen: true);
        output.WriteTag(field, type);
        value(output);
        return this;
    }
}
