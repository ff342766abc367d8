using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.App;

/// <summary>Sets whose descriptors before PCA no memory holds, as Tokyo 24/7's.</summary>
[TestFixture]
public sealed class LargeSets
{
    /// <param name="stored">Whether the weights hold a PCA, of more components than are asked for.</param>
    [Test]
    public void AreProjectedWhileTheyAreDescribed_AndTheCurveIsTheSame([Values] bool stored)
    {
        using var folder = new TemporaryFolder();
        string weights = SmallCity.Weights;
        if (stored)
            Netvlad.Run("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "20", "--output", weights = folder["w.safetensors"]).Done();
        var job = new EvaluationJob { Network = new NetworkRequest { Weights = weights }, Dataset = SmallCity.Folder, Split = "test", Dimensions = [16, 8, 4] };
        var whole = job.Run(Devices.Cpu, new SkiaImageDecoder(), new Lines());
        var lines = new Lines();
        var projected = (job with { MemoryLimit = 1 << 10 }).Run(Devices.Cpu, new SkiaImageDecoder(), lines);
        Assert.That(lines.All, Has.Some.Contains("more than memory holds"));
        Assert.That((whole.DescriptorLength, projected.DescriptorLength), Is.EqualTo((256, 16)));
        Assert.That(projected.Described.Database.Dimension, Is.EqualTo(16));
        Assert.That(projected.ByDimension.Select(d => d.Dimension), Is.EqualTo(whole.ByDimension.Select(d => d.Dimension)));
        foreach (var (a, b) in projected.ByDimension.Zip(whole.ByDimension))
            Assert.That(a.Report.Answers, Is.EqualTo(b.Report.Answers).AsCollection, $"{a.Dimension} numbers");
        Assert.That(projected.Report.Answers, Is.EqualTo(whole.ByDimension[0].Report.Answers).AsCollection);
    }

    private sealed class Lines : Engine.IProgressSink
    {
        public List<string> All { get; } = [];

        public void Begin(string what, long total, string unit)
        {
        }

        public void Advance(long done)
        {
        }

        public void Line(string text) => All.Add(text);
    }
}
