using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Tests.App;

/// <summary>What the README and the pages say can be typed.</summary>
[TestFixture, Parallelizable]
public sealed partial class ReadmeCommands
{
    private static IEnumerable<string> Pages => ["README.md", Path.Combine("perf", "README.md"), .. Directory.GetFiles(Path.Combine(SharedFolder.Repository, "docs"), "*.md", SearchOption.AllDirectories)];

    private static IEnumerable<string> Commands => Pages
        .SelectMany(page => Command().Matches(File.ReadAllText(Path.Combine(SharedFolder.Repository, page))).Select(m => m.Groups[1].Value)).Distinct();

    /// <summary>The program understands each: with --help behind it, and nothing unknown in it.</summary>
    [TestCaseSource(nameof(Commands))]
    public void IsUnderstood(string command)
    {
        string help = Netvlad.Run([.. command.Split(' ').TakeWhile(word => !word.StartsWith('-')), "--help"]).Done().Output;
        foreach (string option in command.Split(' ').Where(word => word.StartsWith("--", StringComparison.Ordinal)))
            Assert.That(help, Does.Contain($"{option} ").Or.Contain($"{option}\n"));
    }

    [Test]
    public void EveryCommandHasAnExampleInTheReadme()
    {
        string readme = File.ReadAllText(Path.Combine(SharedFolder.Repository, "README.md"));
        foreach (string command in (string[])["train", "eval", "study", "index", "localize", "extract", "pca", "convert", "data make-city", "data import-walks", "data import-dbstruct", "data inspect", "kernels list", "kernels ptx", "kernels verify", "kernels profile", "doctor"])
            Assert.That(readme, Does.Contain($"    netvlad {command}"));
    }

    [Test]
    public void EveryLinkedFileExists()
    {
        foreach (string page in Pages)
        {
            string path = Path.Combine(SharedFolder.Repository, page);
            foreach (Match link in Link().Matches(File.ReadAllText(path)))
                Assert.That(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value)), $"{page} → {link.Groups[1].Value}");
        }
    }

    [GeneratedRegex("^    netvlad ([a-z].*)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"\]\((?!http)([^)#]+)\)")]
    private static partial Regex Link();
}
