using System.Buffers.Binary;
using System.Text;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Weights;

[TestFixture]
public sealed class SafetensorsFiles
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    /// <summary>The format by hand: length, header, numbers.</summary>
    internal static byte[] Bytes(string header, params byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }

    private SafetensorsFile Read(string header, params byte[] data) => SafetensorsFile.Read(folder.Write("w.safetensors", Bytes(header, data)));

    [Test]
    public void WhatIsWritten_ComesBack_BitForBit()
    {
        float[] odd = [0f, -0f, float.NaN, BitConverter.UInt32BitsToSingle(0xFFC12345), float.NegativeInfinity, float.Epsilon, 1f / 3];
        var big = new float[300_001];
        for (int i = 0; i < big.Length; i++)
            big[i] = i * 0.1f;
        SafetensorsTensor[] tensors =
        [
            new("features.0.weight", [7, 1], odd), new("größe \"π\"", [big.Length], big), new("empty", [3, 0, 2], Array.Empty<float>()), new("scalar", [], [42f]),
            new("step", [2], [long.MaxValue, -3]),
        ];
        var metadata = new Dictionary<string, string> { ["z"] = "last \"quoted\"\n", ["a"] = "größe" };
        SafetensorsFile.Write(folder["new/w.safetensors"], tensors, metadata);
        var read = SafetensorsFile.Read(folder["new/w.safetensors"]);
        Assert.That(read.Metadata, Is.EquivalentTo(metadata));
        Assert.That(read.Tensors.Select(t => t.Name), Is.EqualTo(tensors.Select(t => t.Name)));
        foreach (var (a, b) in tensors.Zip(read.Tensors))
        {
            Assert.That(b.Shape, Is.EqualTo(a.Shape), a.Name);
            Assert.That(Array.ConvertAll(b.Values, BitConverter.SingleToUInt32Bits), Is.EqualTo(Array.ConvertAll(a.Values, BitConverter.SingleToUInt32Bits)), a.Name);
        }
        Assert.That(read.Find("step")!.Integers, Is.EqualTo(new[] { long.MaxValue, -3 }));
        Assert.That(read.Find("scalar")!.Integers, Is.Null);
        Assert.That(Directory.GetFiles(folder["new"]), Has.Length.EqualTo(1), "nothing is left aside");
    }

    [Test]
    public void TheSameTensors_AreTheSameBytes_AndNumbersBeginAtAMultipleOfEight()
    {
        SafetensorsTensor[] tensors = [new("a", [2], [1f, 2])];
        SafetensorsFile.Write(folder["1"], tensors, new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" });
        SafetensorsFile.Write(folder["2"], tensors, new Dictionary<string, string> { ["y"] = "2", ["x"] = "1" });
        byte[] bytes = File.ReadAllBytes(folder["1"]);
        Assert.That(File.ReadAllBytes(folder["2"]), Is.EqualTo(bytes));
        string header = """{"__metadata__":{"x":"1","y":"2"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        Assert.That(bytes, Is.EqualTo(Bytes(header.PadRight((header.Length + 7) / 8 * 8), 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40)));
    }

    [TestCase("F64", new byte[] { 0, 0, 0, 0, 0, 0, 0xF8, 0xBF })]
    [TestCase("F32", new byte[] { 0, 0, 0xC0, 0xBF })]
    [TestCase("F16", new byte[] { 0, 0xBE })]
    [TestCase("BF16", new byte[] { 0xC0, 0xBF })]
    public void Floats_OfAnyWidth_AreRead(string type, byte[] data)
        => Assert.That(
            Read($$$"""{"a":{"dtype":"{{{type}}}","shape":[1],"data_offsets":[0,{{{data.Length}}}]}}""", data).Tensors[0].Values, Is.EqualTo(new[] { -1.5f }));

    [TestCase("I64", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, -2)]
    [TestCase("I32", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, -2)]
    [TestCase("U32", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, 4294967294)]
    [TestCase("I16", new byte[] { 0xFE, 0xFF }, -2)]
    [TestCase("U16", new byte[] { 0xFE, 0xFF }, 65534)]
    [TestCase("I8", new byte[] { 0xFE }, -2)]
    [TestCase("U8", new byte[] { 0xFE }, 254)]
    [TestCase("BOOL", new byte[] { 1 }, 1)]
    public void WholeNumbers_OfAnyWidth_AreRead(string type, byte[] data, long expected)
    {
        var tensor = Read($$$"""{"a":{"dtype":"{{{type}}}","shape":[],"data_offsets":[0,{{{data.Length}}}]}}""", data).Tensors[0];
        Assert.That(tensor.Integers, Is.EqualTo(new[] { expected }));
        Assert.That(tensor.Values, Is.EqualTo(new[] { (float)expected }));
    }

    [Test]
    public void OnlyWantedTensors_AreRead()
    {
        SafetensorsFile.Write(folder["w"], [new("features.0", [1], [1f]), new("classifier", [1], [2f]), new("features.1", [1], [3f])]);
        var read = SafetensorsFile.Read(folder["w"], name => name.StartsWith("features", StringComparison.Ordinal));
        Assert.That(read.Tensors.Select(t => t.Values[0]), Is.EqualTo(new[] { 1f, 3f }));
    }

    [Test]
    public void WhatCannotBeAFile_IsNotWritten()
    {
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(folder["w"], [new("a", [2], [1f])]));
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(folder["w"], [new("a", [1], [1f]), new("a", [1], [1f])]));
        Assert.That(File.Exists(folder["w"]), Is.False);
    }
}
