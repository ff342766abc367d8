using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Weights;

/// <summary>Files from strangers: every fault is one sentence that names the file, and the tensor where there is one.</summary>
[TestFixture]
public sealed class BrokenSafetensors
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private void Refused(byte[] bytes, params string[] says) => Refused(folder.Write("w.safetensors", bytes), says);

    private static void Refused(string path, params string[] says)
    {
        string message = Assert.Throws<UserErrorException>(() => SafetensorsFile.Read(path))!.Message;
        Assert.That(message, Does.Contain(path).And.EndsWith(".").And.Not.Contains("\n"));
        foreach (string part in says)
            Assert.That(message, Does.Contain(part));
    }

    private void RefusedHeader(string header, int dataBytes, params string[] says) => Refused(SafetensorsFiles.Bytes(header, new byte[dataBytes]), says);

    private static string Tensor(string name, string dtype = "F32", string shape = "[2]", string offsets = "[0,8]")
        => $$$"""  "{{{name}}}":{"dtype":"{{{dtype}}}","shape":{{{shape}}},"data_offsets":{{{offsets}}}}""";

    [Test]
    public void NoFile()
    {
        Refused(folder["none"], "no file");
        Refused(folder.Path, "is a folder");
    }

    [Test]
    public void CutFiles()
    {
        byte[] whole = SafetensorsFiles.Bytes("{" + Tensor("a") + "}", new byte[8]);
        Refused([], "0 bytes");
        Refused(whole[..5], "5 bytes");
        Refused(whole[..20], "claims");
        Refused(whole[..^1], "tensor a", "outside");
    }

    [TestCase(ulong.MaxValue)]
    [TestCase(1UL << 63)]
    [TestCase(100_000_001UL)]
    [TestCase(11UL)]
    public void HeaderLongerThanTheFile(ulong length) => Refused([.. BitConverter.GetBytes(length), .. "{}        "u8], $"claims {length} bytes");

    [Test]
    public void HeaderThatIsNoJson()
    {
        RefusedHeader("", 0, "JSON");
        RefusedHeader("{", 0, "JSON");
        RefusedHeader("[]", 0, "object");
        RefusedHeader("""{"a\ud800":{}}""", 0, "JSON");
        Refused(SafetensorsFiles.Bytes("{\"a" + (char)0 + "\":1}"), "JSON");
    }

    [Test]
    public void NestedTooDeep() => RefusedHeader(string.Concat(Enumerable.Repeat("{\"a\":", 1_000_000)) + "1" + new string('}', 1_000_000), 0, "JSON");

    [Test]
    public void NamesTwice()
    {
        RefusedHeader("{" + Tensor("a") + "," + Tensor("a", offsets: "[8,16]") + "}", 16, "holds a twice");
        RefusedHeader("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "metadata k twice");
    }

    [TestCase("""{"__metadata__":[]}""", "metadata")]
    [TestCase("""{"__metadata__":{"k":1}}""", "metadata k")]
    [TestCase("""{"a":1}""", "tensor a lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2]}}""", "tensor a lacks")]
    [TestCase("""{"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}}""", "tensor a lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "tensor a lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", "tensor a lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "size 2.5")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "size -2")]
    [TestCase("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", "size 2")]
    [TestCase("""{"a":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,8]}}""", "size 99999999999")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,4],"data_offsets":[0,8]}}""", "tensor a claims more")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", "tensor a lies outside")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "tensor a lies outside")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":["0",8]}}""", "tensor a lies outside")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e400]}}""", "tensor a lies outside")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]}}""", "tensor a lies outside")]
    [TestCase("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "tensor a of F32 [3] needs 12 bytes and has 8")]
    [TestCase("""{"a":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}""", "type F4")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "4 bytes before tensor a")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes at its end")]
    public void WrongEntries(string header, string says) => RefusedHeader(header, 8, says);

    [Test]
    public void Overlaps() => RefusedHeader("{" + Tensor("a") + "," + Tensor("b", offsets: "[4,12]") + "}", 12, "tensors a and b overlap");
}
