using System.Text.Json;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.App;

/// <summary>
/// The program from end to end where the runtime may not use AVX-512, or neither it nor AVX2: it says so, extracts what it extracts elsewhere, and trains as it does
/// elsewhere, but for the rounding of sums in another order.
/// </summary>
[TestFixture, Parallelizable]
public sealed class LesserMachines
{
    /// <summary>Relative L2; the bound that holds for Winograd's way on VGG-16, a far deeper network.</summary>
    private const double Rounding = 2e-5;

    private readonly TemporaryFolder folder = new();

    private (float[] Descriptors, double[] Losses) here;

    [OneTimeSetUp]
    public void RunHere() => here = ExtractAndTrain("here", Netvlad.Run);

    [OneTimeTearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("EnableAVX512", "AVX2")]
    [TestCase("EnableAVX2", "128-bit vectors")]
    public void ExtractAndTrain_AsElsewhere(string without, string vectors)
    {
        var machine = Netvlad.RunWithout(without, "doctor", "--json").Done().Json();
        Assert.That(machine.GetProperty("machine").GetProperty("hostVectors").GetString(), Is.EqualTo(vectors));
        Assert.That(machine.GetProperty("failedChecks").GetArrayLength(), Is.Zero);

        var (descriptors, losses) = ExtractAndTrain(without, arguments => Netvlad.RunWithout(without, arguments));
        double distance = Math.Sqrt(descriptors.Zip(here.Descriptors).Sum(x => Math.Pow((double)x.First - x.Second, 2)) / here.Descriptors.Sum(x => (double)x * x));
        Assert.That(distance, Is.LessThan(Rounding));
        Assert.That(losses, Has.Length.EqualTo(here.Losses.Length));
        // A loss is some hundredths of what it is a difference of, and each step adds its roundings to those before.
        for (int step = 0; step < losses.Length; step++)
            Assert.That(losses[step], Is.EqualTo(here.Losses[step]).Within(Rounding * 100 * here.Losses[step]), $"loss of step {step + 1}");
    }

    /// <returns>Descriptors of the test queries, and each step's loss of an epoch from there.</returns>
    private (float[] Descriptors, double[] Losses) ExtractAndTrain(string name, Func<string[], Netvlad> run)
    {
        run(["extract", SmallCity.Weights, Path.Combine(SmallCity.Folder, "images", "test", "queries"), "--output", folder[$"{name}.npy"]]).Done();
        run(["train", SmallCity.Folder, "--weights", SmallCity.Weights, "--output", folder[name], "--epochs", "1", "--tuples", "2", "--negatives", "3", "--margin", "0.5", "--learning-rate", "0.003"]).Done();
        var steps = File.ReadLines(Path.Combine(folder[name], "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).Where(l => l.TryGetProperty("step", out _));
        double[] losses = [.. steps.Select(l => l.GetProperty("loss").GetDouble())];
        Assert.That(losses, Has.Length.GreaterThan(4).And.Some.Positive);
        return (Npy.Read(folder[$"{name}.npy"]).Values, losses);
    }
}
