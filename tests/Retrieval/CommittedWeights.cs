using System.Globalization;
using System.Text.RegularExpressions;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>The network under <c>weights/</c>, on the city's test quarter.</summary>
[TestFixture]
public sealed partial class CommittedWeights
{
    private static string Weights => Path.Combine(SharedFolder.Repository, "weights", "city.safetensors");

    [Test]
    public void ReachTheRecallThatTheReadmeStates()
    {
        using var folder = new TemporaryFolder();
        // A quarter does not depend on how much of the others is built: as little of them as can be.
        CityWriter.Write(folder["city"], new() { TrainPlaces = 2, ValPlaces = 2, TrainQueries = 0, ValQueries = 0 });
        var test = DatasetReader.Open(folder["city"], "test");
        using var network = Network.Load(Devices.Cpu, Weights);
        DescriptorMatrix Rows(IReadOnlyList<ImageRecord> images)
            => Extractor.Extract(network, [.. images.Select(i => i.Path)], new SkiaImageDecoder(), network.Settings.Resize);
        var report = Evaluation.Evaluate(Devices.Cpu, test, Rows(test.Database), Rows(test.Queries));
        Assert.That(report.Queries, Is.EqualTo(420));
        var stated = Row().Match(File.ReadAllText(Path.Combine(SharedFolder.Repository, "README.md"))).Groups;
        int[] depths = [1, 5, 10];
        for (int i = 0; i < depths.Length; i++)
        {
            // Other vector lengths round differently: two of the 420 queries may change sides, and the stated figure is rounded.
            double percent = double.Parse(stated[1 + i].Value, CultureInfo.InvariantCulture);
            Assert.That(100 * report.Recall(depths[i]), Is.EqualTo(percent).Within(100 * 2 / 420.0 + 0.05), $"recall@{depths[i]}");
        }
    }

    [Test]
    public void AreAtMostTwoMegabytes() => Assert.That(new FileInfo(Weights).Length, Is.LessThanOrEqualTo(2_000_000));

    [GeneratedRegex(@"^\| NetVLAD, trained \| ([0-9.]+) \([^|]*\| ([0-9.]+) \([^|]*\| ([0-9.]+) \(", RegexOptions.Multiline)]
    private static partial Regex Row();
}
