using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>A folder that is gone after the test. Its own name holds an @, since folders of users may.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateDirectory(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"me@home@7@8@ {Guid.NewGuid():N}")).FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file and its folders.</summary>
    public string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Writes different small images, a name's the same in every run: a string's own hash, new in each process, would once in a while make two alike.</summary>
    public void Images(params string[] names)
    {
        foreach (var name in names)
        {
            byte[] hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name));
            Write(name, SmallImage.Png(4, 6, (x, y) => ((byte)(40 * x + hash[0]), (byte)(40 * y + hash[1]), hash[2], 255)));
        }
    }

    public Dataset Open(string split = "all", DatasetRules? rules = null) => DatasetReader.Open(Path, split, rules);

    /// <summary>The sentence that opening or checking fails with.</summary>
    public string Refusal(string split = "all")
    {
        var message = Assert.Throws<IlgpuNetVlad.Engine.UserErrorException>(() => Open(split).Check())!.Message;
        Assert.That(message, Does.EndWith(".").And.Not.Contains("\n"));
        return message;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
