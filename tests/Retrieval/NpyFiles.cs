using System.Text;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class NpyFiles
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("npy").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    /// <summary>What numpy.save makes of np.array([[1, 2, 3], [4, 5, -6.5]], dtype=np.float32), byte by byte by hand.</summary>
    private static byte[] NumpyFile(string descr = "<f4", string order = "False", string shape = "(2, 3)", int version = 1)
    {
        int prefix = version == 1 ? 10 : 12;
        string text = $"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}";
        int padded = (prefix + text.Length + 1 + 63) / 64 * 64 - prefix;
        byte[] length = version == 1 ? [(byte)padded, (byte)(padded >> 8)] : [(byte)padded, (byte)(padded >> 8), 0, 0];
        byte[] data =
        [
            0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40,
            0, 0, 0x80, 0x40, 0, 0, 0xA0, 0x40, 0, 0, 0xD0, 0xC0,
        ];
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. Encoding.ASCII.GetBytes(text.PadRight(padded - 1) + "\n"), .. data];
    }

    private string Save(byte[] bytes)
    {
        string path = Path.Combine(folder, "d.npy");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Read_TakesWhatNumpyWrites(int version)
    {
        var read = Npy.Read(Save(NumpyFile(version: version)));
        Assert.That((read.Rows, read.Dimension), Is.EqualTo((2, 3)));
        Assert.That(read.Values, Is.EqualTo(new[] { 1f, 2, 3, 4, 5, -6.5f }));
        Assert.That(read.Names, Is.Null);
    }

    [Test]
    public void Write_GivesNumpysBytes()
    {
        string path = Path.Combine(folder, "new", "d.npy");
        Npy.Write(path, new DescriptorMatrix(2, 3, [1, 2, 3, 4, 5, -6.5f], ["a.jpg", "b.jpg"]));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(NumpyFile()));
        Assert.That(File.ReadAllText(Path.ChangeExtension(path, ".txt")), Is.EqualTo("a.jpg\nb.jpg\n"));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(path)!), Has.Length.EqualTo(2), "nothing is left aside");
        Assert.That(Npy.Read(path).Names, Is.EqualTo(new[] { "a.jpg", "b.jpg" }));
    }

    private string Refusal(string output, string? list = null)
    {
        string message = Assert.Throws<UserErrorException>(() => Npy.Check(output, list))!.Message;
        Assert.That(message, Does.EndWith(".").And.Not.Contains("\n"));
        return message;
    }

    [Test]
    public void Check_KeepsTheListThatWasGiven()
    {
        string list = Path.Combine(folder, "d.txt"), link = Path.Combine(folder, "link.txt"), output = Path.Combine(folder, "d.npy");
        File.WriteAllText(list, "a.jpg\n");
        File.CreateSymbolicLink(link, list);
        Save(NumpyFile());
        Assert.That(() => Npy.Check(output), Throws.Nothing, "descriptors with the names beside them are written anew");
        Assert.That(Refusal(output, list), Does.Contain(list).And.Contain("the list of images that you gave"));
        Assert.That(Refusal(output, link), Does.Contain("the list of images that you gave"));
        Assert.That(() => Npy.Check(Path.Combine(folder, "e.npy"), list), Throws.Nothing);
    }

    [Test]
    public void Check_KeepsFilesThatSomebodyElseWrote()
    {
        string names = Path.Combine(folder, "notes.txt"), picture = Path.Combine(folder, "a.jpg");
        File.WriteAllText(names, "mine");
        Assert.That(Refusal(Path.Combine(folder, "notes.npy")), Does.Contain(names).And.Contain("without descriptors"));
        File.WriteAllText(picture, "a picture");
        Assert.That(Refusal(picture), Does.Contain(picture).And.Contain("holds no descriptors"));
        string reserved = Path.Combine(folder, "reserved.npy");
        File.WriteAllText(reserved, "");
        Assert.That(() => Npy.Check(reserved), Throws.Nothing);
    }

    [Test]
    public void Check_RefusesWhereNamesAndDescriptorsWouldBeOneFileOrAFolder()
    {
        Assert.That(Refusal(Path.Combine(folder, "new.txt")), Does.Contain("end in .npy"));
        Assert.That(Refusal(folder), Does.Contain("is a folder"));
        Directory.CreateDirectory(Path.Combine(folder, "d.txt"));
        Assert.That(Refusal(Path.Combine(folder, "d.npy")), Does.Contain("d.txt").And.Contain("is a folder"));
    }

    private static IEnumerable<TestCaseData> Broken()
    {
        yield return new TestCaseData(Array.Empty<byte>(), "is no .npy file").SetName("Read_Refuses(empty)");
        yield return new TestCaseData(NumpyFile()[..^1], "is broken").SetName("Read_Refuses(cut short)");
        yield return new TestCaseData(NumpyFile()[..40], "is broken").SetName("Read_Refuses(cut in the header)");
        yield return new TestCaseData(NumpyFile(descr: "<f8"), "float32").SetName("Read_Refuses(float64)");
        yield return new TestCaseData(NumpyFile(descr: ">f4"), "float32").SetName("Read_Refuses(big-endian)");
        yield return new TestCaseData(NumpyFile(order: "True"), "column by column").SetName("Read_Refuses(Fortran order)");
        yield return new TestCaseData(NumpyFile(shape: "(6,)"), "one row an image").SetName("Read_Refuses(a vector)");
        yield return new TestCaseData(NumpyFile(shape: "(99999999999, 3)"), "one row an image").SetName("Read_Refuses(absurd shape)");
        yield return new TestCaseData((byte[])[.. "PK\u0003\u0004 something else entirely"u8], "is no .npy file").SetName("Read_Refuses(another format)");
    }

    [TestCaseSource(nameof(Broken))]
    public void Read_RefusesInOneSentence(byte[] bytes, string says)
        => Assert.That(() => Npy.Read(Save(bytes)), Throws.TypeOf<UserErrorException>().With.Message.Contains(says));

    [Test]
    public void Read_RefusesNamesOfAnotherRun()
    {
        string path = Save(NumpyFile());
        File.WriteAllText(Path.ChangeExtension(path, ".txt"), "only one\n");
        Assert.That(() => Npy.Read(path), Throws.TypeOf<UserErrorException>().With.Message.Contains("different runs"));
    }
}
