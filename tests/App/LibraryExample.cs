using System.Text.RegularExpressions;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.App;

/// <summary>The README's programs, compiled and run, and held to the README's words.</summary>
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
    public void AnIndexAnswersACamera_AndLearnsPlaces()
    {
        using var here = new WorkingFolder(SmallCity.Root.FullName);
        Netvlad.RunIn(SmallCity.Root.FullName, "index", SmallCity.Weights, "city/images/test/database").Done();
        using var output = new StringWriter();
        var console = Console.Out;
        Console.SetOut(output);
        try
        {
            for (int time = 0; time < 2; time++)
                Camera();
        }
        finally
        {
            Console.SetOut(console);
        }
        string[] lines = output.ToString().TrimEnd().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(6));
        Assert.That(lines[0], Does.Match("^0\\.[0-9]{3} .*/city/images/test/database/@.* [0-9.]+, [0-9.]+$"));
        Assert.That(lines[3], Does.StartWith("1.000 node 17"));
    }

    [TestCase(0, "Program")]
    [TestCase(1, "Camera")]
    public void TheReadmeShowsTheseProgramsInOrder(int number, string method)
    {
        string readme = File.ReadAllText(Path.Combine(SharedFolder.Repository, "README.md"));
        string shown = CSharp().Matches(readme)[number].Groups[1].Value;
        string source = File.ReadAllText(Path.Combine(SharedFolder.Repository, "tests", "App", "LibraryExample.cs"));
        string from = source[source.IndexOf($"private static void {method}()", StringComparison.Ordinal)..];
        string body = from[(from.IndexOf("// begin\n", StringComparison.Ordinal) + 9)..from.IndexOf("        // end\n", StringComparison.Ordinal)];
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

    private static void Camera()
    {
        byte[] bytes = new byte[48 * 64 * 3];
        new Random(3).NextBytes(bytes);
        // begin
        using var device = Device.Cpu();
        using var index = PlaceIndex.Load(device, "places.safetensors");
        var frame = PixelImage.Of(bytes, height: 48, width: 64, PixelOrder.Bgr);
        foreach (var answer in index.Find(frame, depth: 3))
            Console.WriteLine($"{answer.Similarity:0.000} {answer.Place.Path} {answer.Place.Position}");
        index.Add(new Place("node 17"), frame);
        index.Save("places.safetensors");
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
