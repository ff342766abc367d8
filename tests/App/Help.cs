using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Tests.App;

/// <summary>What the program says about itself.</summary>
[TestFixture, Parallelizable]
public sealed partial class Help
{
    private static readonly string[] Commands = ["train", "eval", "study", "index", "localize", "extract", "pca", "convert", "export", "data make-city", "data import-walks", "data import-dbstruct", "data inspect", "kernels list", "kernels ptx", "kernels verify", "kernels profile", "doctor"];

    [TestCaseSource(nameof(Commands))]
    public void EveryCommandShowsAnExampleAndTheCommonOptions(string command)
    {
        var help = Netvlad.Run([.. command.Split(' '), "--help"]).Done().Output;
        Assert.That(help, Does.Match($"Examples?:\\s+netvlad {command}"));
        foreach (string option in (string[])["--json", "--seed", "--device", "--precision", "--verbose"])
            Assert.That(help, Does.Contain(option));
    }

    [Test]
    public void ThereAreTheseCommandsAndNoOthers()
    {
        var found = new List<string>();
        foreach (string name in CommandsIn(Netvlad.Run("--help").Done().Output))
        {
            string[] below = CommandsIn(Netvlad.Run(name, "--help").Done().Output);
            found.AddRange(below.Length == 0 ? [name] : below.Select(b => $"{name} {b}"));
        }
        Assert.That(found, Is.EquivalentTo(Commands));
    }

    /// <summary>A group is no command by itself, and shows its commands' examples.</summary>
    [Test]
    public void AGroupShowsTheExamplesOfItsCommands()
    {
        string help = Netvlad.Run("data", "--help").Done().Output;
        Assert.That(help, Does.Contain("netvlad data make-city").And.Contain("netvlad data inspect"));
    }

    private static string[] CommandsIn(string help)
        => CommandSection().Match(help) is { Success: true } section
            ? [.. section.Groups[1].Value.Split('\n').Where(l => l.Length > 2 && l[2] != ' ').Select(l => l.Trim().Split(' ')[0])]
            : [];

    [GeneratedRegex("^Commands:\n((?:  .*\n)+)", RegexOptions.Multiline)]
    private static partial Regex CommandSection();
}
