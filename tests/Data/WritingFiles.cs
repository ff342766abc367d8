using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Files are written aside and renamed.</summary>
public sealed class WritingFiles
{
    [Test]
    public void A_file_is_replaced_whole_and_its_folder_made()
    {
        using var folder = new TemporaryFolder();
        var path = folder["a/b/c.txt"];
        AtomicFile.WriteText(path, "first, and longer");
        AtomicFile.WriteText(path, "zweite ü");
        Assert.That(File.ReadAllText(path), Is.EqualTo("zweite ü"));
        Assert.That(File.ReadAllBytes(path)[0], Is.EqualTo((byte)'z'), "no byte order mark");
        Assert.That(Directory.GetFiles(folder["a/b"]), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_writer_that_breaks_off_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.txt", "old");
        Assert.That(() => AtomicFile.Write(path, stream => { stream.WriteByte(1); throw new InvalidOperationException("broken"); }), Throws.InvalidOperationException);
        Assert.That(() => AtomicFile.Write(path, stream => { stream.WriteByte(1); throw new IOException("No space left on device"); }),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo($"{path} cannot be written (No space left on device); free some space or name another place."));
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_reader_sees_the_old_file_until_the_new_one_is_whole()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.txt", "old");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        });
        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
    }

    [Test]
    public void A_place_that_is_none_is_refused_under_its_own_name()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["folder"]);
        folder.Write("file", "in the way");
        foreach (var path in new[] { folder["folder"], folder["file/a.txt"] })
            Assert.That(
                () => AtomicFile.WriteText(path, "x"),
                Throws.TypeOf<UserErrorException>().With.Message.StartWith($"{path} cannot be written (").And.Message.Not.Contain(".part"));
    }
}
