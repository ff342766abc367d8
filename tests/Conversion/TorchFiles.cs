using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Torch;
using IlgpuNetVlad.Tests.Data;
using static IlgpuNetVlad.Tests.Conversion.TorchBytes;

namespace IlgpuNetVlad.Tests.Conversion;

/// <summary>PyTorch's files are programs that make dictionaries; of strangers' ones no word is run, and no size believed.</summary>
[TestFixture]
public sealed class TorchFiles
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private TorchFile Read(byte[] bytes) => TorchFile.Read(folder.Write("w.pth", bytes));

    private void Refused(byte[] bytes, params string[] says)
    {
        string path = folder.Write("w.pth", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<UserErrorException>(() =>
        {
            var file = TorchFile.Read(path);
            foreach (var (_, tensor) in file.Tensors)
                file.Values(tensor);
        })!.Message;
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20), "no more memory than a small file needs");
        Assert.That(message, Does.Contain(path).And.EndsWith(".").And.Not.Contains("\n"));
        foreach (string part in says)
            Assert.That(message, Does.Contain(part));
    }

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] One(byte[] tensor, int floats = 6) => Zip(Pickle(Dictionary(("a", tensor))), ("data/0", Floats([.. Enumerable.Range(0, floats).Select(i => (float)i)])));

    [TestCase(0, new[] { 6 }, new[] { 1 }, new float[] { 0, 1, 2, 3, 4, 5 })]
    [TestCase(2, new[] { 2, 2 }, new[] { 2, 1 }, new float[] { 2, 3, 4, 5 })]
    [TestCase(0, new[] { 3, 2 }, new[] { 1, 3 }, new float[] { 0, 3, 1, 4, 2, 5 })]
    [TestCase(1, new[] { 2, 1, 2 }, new[] { 1, 9, 3 }, new float[] { 1, 4, 2, 5 })]
    [TestCase(5, new int[0], new int[0], new float[] { 5 })]
    [TestCase(0, new[] { 0, 4 }, new[] { 4, 1 }, new float[0])]
    public void AViewOfAStorage_IsRead(int offset, int[] shape, int[] strides, float[] expected)
    {
        var file = Read(One(Tensor(Storage("0", 6), offset, shape, strides)));
        Assert.That((file.Tensors[0].Name, file.Tensors[0].Tensor.Shape), Is.EqualTo(("a", shape)));
        Assert.That(file.Values(file.Tensors[0].Tensor), Is.EqualTo(expected));
    }

    [TestCase("state_dict")]
    [TestCase("model_state_dict")]
    [TestCase("model")]
    public void ADictionaryInACheckpoint_IsFound(string name)
    {
        byte[] weights = Dictionary(("a", Tensor(Storage("0", 1), 0, [1], [1]))), other = Dictionary(("lr", Number(1)));
        Assert.That(Read(Zip(Pickle(Dictionary(("optimizer", other), (name, weights), ("epoch", Number(3)))), ("data/0", Floats(7)))).Tensors.Single().Name, Is.EqualTo("a"));
    }

    /// <summary>What loading it in Python would run.</summary>
    [Test]
    public void CodeIsNeitherRunNorPassedOver()
    {
        foreach (var (module, name) in new[] { ("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch._utils", "_import_dotted_name"), ("collections", "Counter") })
            Refused(Zip(Pickle([.. Global(module, name), .. Tuple(Text("echo")), (byte)'R'])), $"asks for {module}.{name}", "nothing of it was run");
        // The newer way to name, and a class whose object is made and thrown away.
        Refused(Zip(Pickle([.. Text("posix"), .. Text("system"), 0x93])), "asks for posix.system");
        Refused(Zip(Pickle([.. Global("os", "system"), (byte)'0', .. Dictionary()])), "asks for os.system");
        // Making objects, extensions and the text operations of the first protocol.
        foreach (byte code in (byte[])[0x81, 0x82, (byte)'i', (byte)'o', (byte)'V', (byte)'P'])
            Refused(Zip(Pickle([.. Tuple(), code])), $"operation 0x{code:x2}");
    }

    [Test]
    public void NoSizeIsBelieved()
    {
        Refused(One(Tensor(Storage("0", 6), 0, [7], [1])), "claims more than the 6 numbers");
        Refused(One(Tensor(Storage("0", 6), 1, [6], [1])), "claims more than");
        Refused(One(Tensor(Storage("0", 6), 0, [2, 2], [5, 1])), "claims more than");
        Refused(One(Tensor(Storage("0", 6), 0, [1 << 30, 4], [0, 0])), "claims more than");
        Refused(One(Tensor(Storage("0", 6), 0, [-1], [1])), "sizes or steps");
        Refused(One(Tensor(Storage("0", 6), 0, [2], [-1])), "sizes or steps");
        Refused(One(Tensor(Storage("0", 6), -1, [2], [1])), "sizes or steps");
        Refused(One(Tensor(Storage("0", 6), 0, [2], [1, 1])), "sizes or steps");
        Refused(One(Tensor(Storage("0", 1 << 30), 0, [1 << 30], [1])), "archive/data/0 in it has 24 bytes and must have 4294967296");
        Refused(One(Tensor(Storage("0", -6), 0, [1], [1])), "no storage");
        Refused(One(Tensor(Storage("1", 6), 0, [6], [1])), "lacks archive/data/1");
        Refused(Zip(Pickle(Dictionary(("a", Tensor(Storage("0", 6), 0, [6], [1])), ("b", Tensor(Storage("0", 3, "DoubleStorage"), 0, [3], [1])))), ("data/0", new byte[24])), "storage 0 in two ways");
        Refused(Zip(Pickle([(byte)'X', .. BitConverter.GetBytes(int.MaxValue)])), "a text of 2147483647 bytes");
        Refused(Zip([0x80, 2, .. Enumerable.Repeat((byte)')', 17 << 20).Select((b, i) => i % 2 == 0 ? b : (byte)'0')]), "longer than 16777216 bytes");
    }

    [Test]
    public void BrokenPickles()
    {
        Refused(Zip([]), "ends too early");
        Refused(Zip([0x80, 9]), "protocol 9");
        foreach (string pickle in (string[])[".", "0", "t", "u", "(u", "a", "(e", "s", "R", "b", "Q", "}}R", "Nq"])
            Refused(Zip(Pickle([.. pickle.Select(c => (byte)c)])), "its pickle");
        Refused(Zip(Pickle([(byte)'h', 5])), "remembers what it never had");
        Refused(Zip(Pickle([(byte)'N', (byte)'(', (byte)'0', (byte)'t'])), "takes more than it put down");
        Refused(Zip(Pickle([.. Tuple(Text("storage"), Text("x")), (byte)'Q'])), "no storage");
        Refused(Zip(Pickle([.. Global("torch._utils", "_rebuild_tensor_v2"), .. Tuple(Number(1), Number(2), Number(3), Number(4)), (byte)'R'])), "no tensor's");
        Refused(Zip(Pickle(Dictionary())), "holds no tensors");
        Refused(Zip(Pickle(Dictionary(("lr", Number(1))))), "holds no tensors");
        Refused(Zip(Pickle(Dictionary(("a", Tensor(Storage("0", 1), 0, [1], [1])), ("a", Tensor(Storage("0", 1), 0, [1], [1])))), ("data/0", Floats(1))), "holds a twice");
    }

    [Test]
    public void OtherArchives()
    {
        byte[] whole = One(Tensor(Storage("0", 6), 0, [6], [1]));
        Refused(whole[..(whole.Length / 2)], "cannot be unpacked");
        using (var zip = System.IO.Compression.ZipFile.Open(folder["x.zip"], System.IO.Compression.ZipArchiveMode.Create))
            zip.CreateEntry("thesis.txt");
        Refused(File.ReadAllBytes(folder["x.zip"]), "no data.pkl");
        Refused(Zip(Pickle(Dictionary(("a", Tensor(Storage("0", 1), 0, [1], [1])))), ("data/0", Floats(1)), ("byteorder", [.. "big"u8])), "big-endian");
    }

    /// <summary>Of before PyTorch 1.6: the storages come last, behind their names.</summary>
    [Test]
    public void AnOldFile_CutAnywhere_IsRefused()
    {
        byte[] whole = File.ReadAllBytes(SmallNetwork.Fixture("small-old.pth.tar"));
        Assert.That(Read(whole).Tensors, Has.Count.EqualTo(6));
        for (int length = 16; length < whole.Length; length += 7)
            Refused(whole[..length], "no whole file");
        byte[] odd = [.. whole];
        odd[17] ^= 1;
        Refused(odd);
    }
}
