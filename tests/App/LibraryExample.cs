using System.Text.RegularExpressions;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.App;

/// <summary>The README's program, compiled and run, and held to the README's words.</summary>
[TestFixture]
public sealed partial class LibraryExample
{
    [Test]
    public void FindsTheNearestKnownImages()
    {
        using var here = new WorkingFolder(SmallCity.Root.FullName);
        Directory.CreateDirectory("runs");
        if (!Directory.Exists("runs/city"))
            Directory.CreateSymbolicLink("runs/city", SmallCity.Run);
        using var output = new StringWriter();
        var console = Console.Out;
        Console.SetOut(output);
        try
        {
            Program();
        }
        finally
        {
            Console.SetOut(console);
        }
        Assert.That(output.ToString().TrimEnd().Split('\n'), Has.Length.EqualTo(12).And.All.Matches("shows the place of .*squared distance [0-9]"));
    }

    [Test]
    public void TheReadmeShowsThisProgram()
    {
        string readme = File.ReadAllText(Path.Combine(SharedFolder.Repository, "README.md"));
        string shown = CSharp().Match(readme).Groups[1].Value;
        string source = File.ReadAllText(Path.Combine(SharedFolder.Repository, "tests", "App", "LibraryExample.cs"));
        string body = source[(source.IndexOf("// begin\n", StringComparison.Ordinal) + 9)..source.IndexOf("        // end\n", StringComparison.Ordinal)];
        Assert.That(Lines(shown[shown.IndexOf("using var device", StringComparison.Ordinal)..]), Is.EqualTo(Lines(body)));
        foreach (Match used in UsingLine().Matches(shown))
            Assert.That(source, Does.Contain(used.Value));
    }

    private static void Program()
    {
        // begin
        using var device = Device.Cpu();
        using var network = Network.Load(device, "runs/city/best.safetensors");
        var decoder = new SkiaImageDecoder();
        var known = Extractor.Extract(network, ImageFiles.Under("city/images/test/database"), decoder, network.Settings.Resize);
        var asked = Extractor.Extract(network, ImageFiles.Under("city/images/test/queries"), decoder, network.Settings.Resize);
        using var search = new ExactSearch(device, known);
        var (rows, distances) = search.Find(asked, depth: 5);
        for (int q = 0; q < asked.Rows; q++)
            Console.WriteLine($"{asked.Names![q]} shows the place of {known.Names![rows[q][0]]}, squared distance {distances[q][0]:0.000}");
        // end
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0)];

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex("^using IlgpuNetVlad.*;$", RegexOptions.Multiline)]
    private static partial Regex UsingLine();

    /// <summary>Another working folder for a while; tests of this project run one after the other.</summary>
    private sealed class WorkingFolder : IDisposable
    {
        private readonly string before = Environment.CurrentDirectory;

        public WorkingFolder(string folder)
        {
            Environment.CurrentDirectory = folder;
        }

        public void Dispose() => Environment.CurrentDirectory = before;
    }
}
