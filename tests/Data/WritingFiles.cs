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
        Assert.That(() => AtomicFile.Write(path, stream => { stream.WriteByte(1); throw new IOException("Stale file handle"); }),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo($"{path} cannot be written (Stale file handle); name another place."));
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

    /// <summary>Linux has a device that is always full.</summary>
    [Test, Platform("Linux")]
    public void Only_a_full_disk_asks_for_space()
    {
        using var folder = new TemporaryFolder();
        Assert.That(
            () => AtomicFile.Write(folder["a.txt"], _ => File.WriteAllText("/dev/full", "more than it takes")),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo($"{folder["a.txt"]} cannot be written (the disk is full, or your share of it); free some space, or name another place."));
        Assert.That(
            () => AtomicFile.Write(folder["a.txt"], _ => throw new UnauthorizedAccessException("Access denied")),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo($"{folder["a.txt"]} cannot be written (it may not be written); ask for the right to, or name another place."));
    }

    [Test]
    public void A_place_is_tried_before_anything_is_made_for_it()
    {
        using var folder = new TemporaryFolder();
        var old = folder.Write("old.txt", "old");
        foreach (var path in new[] { old, folder["new.txt"], folder["a/b/c.txt"] })
            Assert.That(() => AtomicFile.Check(path), Throws.Nothing);
        Assert.That(File.ReadAllText(old), Is.EqualTo("old"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { old }), "nothing is left of the trial");
        Directory.CreateDirectory(folder["folder"]);
        Assert.That(
            () => AtomicFile.Check(folder["folder"]),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo($"{folder["folder"]} cannot be written (it is a folder); name a file, in it or elsewhere."));
        foreach (var below in new[] { Path.Combine(old, "a.txt"), Path.Combine(old, "b", "a.txt") })
            Assert.That(
                () => AtomicFile.Check(below),
                Throws.TypeOf<UserErrorException>().With.Message.StartWith($"{below} cannot be written (").And.Message.EndWith("; name another place.").And.Message.Not.Contain(".part"));
    }

    /// <summary>Of a file system that takes no file from anyone, the superuser neither.</summary>
    [Test, Platform("Linux")]
    public void A_folder_that_takes_no_file_is_found_before_the_work()
        => Assert.That(() => AtomicFile.Check("/proc/netvlad/a.txt"), Throws.TypeOf<UserErrorException>().With.Message.StartWith("/proc/netvlad/a.txt cannot be written ("));
}
