using System.Text;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Matlab;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Matlab;

/// <summary>Files from strangers: every fault is one sentence that names the file, and no number in a file takes memory that the file does not fill.</summary>
[TestFixture]
public sealed class BrokenMatlabFiles
{
    private static readonly MatlabBytes M = new();

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private void Refused(byte[] bytes, params string[] says) => Refused(folder.Write("m.mat", bytes), says);

    private static void Refused(string path, params string[] says)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<UserErrorException>(() => MatlabFile.Read(path))!.Message;
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(4 << 20), "no more memory than a small file needs");
        Assert.That(message, Does.Contain(path).And.EndsWith(".").And.Not.Contains("\n"));
        foreach (string part in says)
            Assert.That(message, Does.Contain(part));
    }

    /// <summary>As it is, and deflated.</summary>
    private void RefusedArray(byte[] element, string says)
    {
        Refused(M.File(element), says);
        Refused(M.File(M.Compressed(element)), says);
    }

    [Test]
    public void NoFile()
    {
        Refused(folder["none"], "no file");
        Refused(folder.Path, "is a folder");
    }

    [Test]
    public void OtherFiles()
    {
        Refused([], "0 bytes");
        Refused(Encoding.ASCII.GetBytes(new string('x', 500)), "is no MATLAB file");
        Refused(new byte[500], "level 4", "-v7");
        byte[] newer = M.File();
        newer[125] = 2;
        Refused(newer, "HDF5", "-v7");
        Refused([0x89, .. "HDF\r\n"u8, 26, 10, .. new byte[300]], "HDF5", "-v7");
        byte[] odd = M.File();
        odd[125] = 9;
        Refused(odd, "its version is 0900");
    }

    [Test]
    public void CutAnywhere()
    {
        byte[] whole = M.File(M.Structs("s", [1, 1], ["a"], M.Doubles("", [1, 3], 1, 2, 3)), M.Compressed(M.Text("text", "some text")));
        Assert.That(MatlabFile.Read(folder.Write("m.mat", whole)).Variables, Has.Count.EqualTo(2));
        int first = M.File(M.Structs("s", [1, 1], ["a"], M.Doubles("", [1, 3], 1, 2, 3))).Length;
        // Four bytes at the end are zlib's sum alone.
        for (int length = 129; length < whole.Length - 4; length++)
            if (length != first)
                Refused(whole[..length], "not a whole MATLAB file");
    }

    [Test]
    public void ClaimsOfMoreThanThereIs()
    {
        RefusedArray(M.Element(MatlabBytes.Matrix, [.. M.Flags(MatlabBytes.Double), .. M.Shape(1 << 20, 500), .. M.Name("a"), .. M.Element(9, new byte[64], claimed: 500u << 23)]), "an element claims");
        RefusedArray(M.Array(MatlabBytes.Double, [1 << 20, 500], "a", M.Element(9, new byte[64])), "the array a of 1048576×500 needs 4194304000 bytes and has 64");
        RefusedArray(M.Array(MatlabBytes.Double, [int.MaxValue, int.MaxValue, int.MaxValue], "a", M.Element(9, new byte[64])), "claims the sizes");
        RefusedArray(M.Cells("a", [1 << 30, 1], M.Doubles("", [1, 1], 1)), "claims 1073741824 parts");
        RefusedArray(M.Structs("a", [1 << 30, 1], ["x", "y"], M.Doubles("", [1, 1], 1)), "claims 2147483648 parts");
        RefusedArray(M.Array(MatlabBytes.Char, [1, 1 << 30], "a", M.Element(16, new byte[8])), "claims 1073741824 characters");
        RefusedArray(M.Array(MatlabBytes.Double, [1, -3], "a", M.Element(9, [])), "sizes 1×-3");
        Refused(M.File(M.Element(MatlabBytes.Matrix, new byte[16], claimed: uint.MaxValue)), "an element claims 4294967295 bytes of the 16");
    }

    /// <summary>A few bytes that inflate to less than they say, or to no array.</summary>
    [Test]
    public void DeflatedArrays_AreNotBelieved()
    {
        Refused(M.File(M.Compressed(M.Element(MatlabBytes.Matrix, new byte[64], claimed: 4_000_000_000))), "a deflated array claims 4000000000 bytes and has 64");
        Refused(M.File(M.Compressed(M.Element(9, new byte[64]))), "a deflated element of type 9");
        Refused(M.File(M.Element(15, [.. "this was never deflated!"u8])), "cannot be inflated");
    }

    [Test]
    public void OddElements()
    {
        Refused(M.File(M.Element(9, new byte[8])), "type 9 stands where an array must be");
        RefusedArray(M.Element(MatlabBytes.Matrix, [.. M.Flags(42), .. M.Shape(1, 1), .. M.Name("a")]), "the array a is of class 42");
        RefusedArray(M.Array(MatlabBytes.Double, [1, 1], "a", M.Element(99, new byte[8])), "numbers of type 99");
        RefusedArray(M.Array(MatlabBytes.Char, [1, 1], "a", M.Element(9, new byte[8])), "text of type 9");
        RefusedArray(M.Cells("a", [1, 1], M.Element(9, new byte[8])), "an element of type 9 where an array must be");
        RefusedArray(M.Element(MatlabBytes.Matrix, M.Element(5, new byte[8])), "the flags of an array");
        RefusedArray(M.Array(MatlabBytes.Struct, [1, 1], "a", M.Small(5, M.Words(0)), M.Element(1, [])), "field names of 0 bytes");
        RefusedArray(M.Element(MatlabBytes.Matrix, [.. M.Flags(MatlabBytes.Double), .. M.Shape(1, 1), .. M.Words(9 << 16 | 1, 0)]), "9 bytes claims to fit into 4");
    }

    [Test]
    public void NestedTooDeep()
    {
        byte[] nested = M.Doubles("", [1, 1], 1);
        for (int i = 0; i < 100; i++)
            nested = M.Cells("", [1, 1], nested);
        RefusedArray(nested, "64 deep");
    }
}
