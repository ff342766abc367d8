using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Layers;

/// <summary>The soft assignment's softmax on the host.</summary>
[TestFixture]
public sealed unsafe class SoftAssignments
{
    /// <summary>A multiply-add that meets a number without fp32's full precision takes some processors many times as long, and what it adds is nothing beside the floor of a norm.</summary>
    [Test]
    public void AreZeroOrOfFullPrecision_HoweverFarLogitsLieApart([Values(7, 64, 70)] int clusters)
    {
        float[] row = [.. Enumerable.Range(0, clusters).Select(k => -3f * k)];
        double total = row.Sum(x => Math.Exp(x));
        float[] expected = [.. row.Select(x => x < -69 ? 0 : (float)(Math.Exp(x) / total))];
        Run(row, 1);
        Assert.Multiple(() =>
        {
            for (int k = 0; k < clusters; k++)
            {
                Assert.That(row[k] == 0 || float.IsNormal(row[k]), Is.True, $"cluster {k}: {row[k]}");
                Assert.That(row[k], Is.EqualTo(expected[k]).Within(1e-6 * expected[k]), $"cluster {k}");
            }
        });
    }

    [Test]
    public void InfinitelyFarBelow_IsZero_AndNaNReachesAll([Values(7, 64)] int clusters)
    {
        float[] row = new float[clusters];
        row[2] = float.NegativeInfinity;
        Run(row, 1);
        Assert.That(row[2], Is.Zero);
        Assert.That(row[3], Is.EqualTo(1f / (clusters - 1)).Within(1e-6f));
        row[clusters - 1] = float.NaN;
        Run(row, 1);
        Assert.That(row, Has.All.NaN);
    }

    private static void Run(float[] row, float scale)
    {
        fixed (float* at = row)
            HostSoftmax.Run(at, scale, null, row.Length);
    }
}
