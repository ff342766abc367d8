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

    private static IEnumerable<TestCaseData> Others()
    {
        TestCaseData Case(string name, byte[] start, params string[] says) => new TestCaseData(start, says).SetArgDisplayNames(name);
        byte[] Long(byte[] start) => [.. start, .. new byte[100]];
        yield return Case("HDF5", Long([0x89, .. "HDF\r\n"u8, 0x1A, (byte)'\n']), "an HDF5 file", "convert");
        yield return Case("PyTorch", Long([.. "PK"u8, 3, 4, 0, 0, 8, 8, 0, 0]), "zip", "PyTorch", "save_file");
        yield return Case("MATLAB 5", Long([.. "MATLAB 5.0 MAT-file, Platform: GLNXA64"u8]), "a MATLAB file");
        yield return Case("old PyTorch", Long([0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46]), "pickle", "save_file");
        yield return Case("pickle", Long([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0]), "pickle");
        // Its first eight bytes are a length that a file may well have.
        yield return Case("gzip", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, .. new byte[600_000]], "gzip", "unpack");
        yield return Case("PNG", Long([0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n']), "a PNG picture");
        yield return Case("JPEG", Long([0xFF, 0xD8, 0xFF, 0xE0]), "a JPEG picture");
        yield return Case("JPEG of a few bytes", [0xFF, 0xD8, 0xFF, 0xE0], "a JPEG picture");
        yield return Case("Git LFS", [.. "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"u8], "a Git LFS pointer", "git lfs pull");
    }

    [TestCaseSource(nameof(Others))]
    public void OtherKindsAreNamed(byte[] bytes, string[] says) => Refused(bytes, [.. says, " is a", ".safetensors file"]);

    /// <summary>A header of 640 bytes or so is as long as a pickle's first two bytes say.</summary>
    [Test]
    public void AHeaderMayBeAsLongAsAnotherKindBegins()
    {
        string header = "{" + Tensor("a") + "}";
        byte[] bytes = SafetensorsFiles.Bytes(header.PadRight(0x0280), new byte[8]);
        Assert.That(bytes[..2], Is.EqualTo(new byte[] { 0x80, 2 }));
        Assert.That(SafetensorsFile.Read(folder.Write("w.safetensors", bytes)).Tensors, Has.Count.EqualTo(1));
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
