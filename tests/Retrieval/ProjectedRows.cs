using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary><see cref="Projection"/> works on 256 descriptors at a time: whatever is left for the last time, and however many threads share it, a descriptor's numbers are the same.</summary>
[TestFixture, Parallelizable]
public sealed class ProjectedRows
{
    // Two batches, of which the last has fewer rows than a whole one's tiles (128), as many, and more than them: these go into larger tiles than a whole batch's.
    [Test]
    public void TheLastBatchMayHaveAnyNumberOfRows([Values(1, 2, 3)] int threads, [Values(64, 1300)] int components, [Values(1, 128, 129, 232, 240, 241)] int last)
    {
        using var device = Kernels.Device.Cpu(threads);
        var projection = new Projection(8, components, Random(components * 8, 1), Random(components, 2), new float[components]);
        var descriptors = new DescriptorMatrix(256 + last, 8, Random((256 + last) * 8, 3));
        var projected = projection.Apply(device, descriptors);
        foreach (int row in (int[])[0, 255, 256, 256 + last / 2, 255 + last])
        {
            var alone = new DescriptorMatrix(1, 8, descriptors.Row(row).ToArray());
            Assert.That(projected.Row(row).ToArray(), Is.EqualTo(projection.Apply(device, alone).Values), $"row {row}");
        }
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
