using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Training;

/// <summary>Triplets whose loss is zero ask for nothing: no image of theirs is computed backward, and where nothing violates there is no update at all.</summary>
[TestFixture]
public sealed class ZeroLoss
{
    private const int Images = 6;

    /// <summary>As in <see cref="ConvolutionTests.LiveImages"/>: the smallest gradient there is makes an image count, and changes no sum.</summary>
    [TestCase(null)]
    [TestCase("conv2_1")]
    [TestCase("d")]
    public void ImagesWithoutGradient_AreLeftOut_AndTheWeightsHaveTheSameBits(string? from)
    {
        float[][] without = Train(0), with = Train(float.Epsilon);
        for (int p = 0; p < with.Length; p++)
            Assert.That(without[p], Is.EqualTo(with[p]).AsCollection, $"parameter {p}");
        Assert.That(without.SelectMany(p => p), Has.Some.Not.Zero);

        float[][] Train(float others)
        {
            using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
            using var plan = network.Plan(Images, TinyTrunk.Height, TinyTrunk.Width, from, training: true);
            float[] gradient = TinyTrunk.Numbers(new(2), Images * network.PooledLength);
            foreach (int image in (int[])[0, 3, 4])
                gradient.AsSpan(image * network.PooledLength, network.PooledLength).Fill(others);
            using var dy = Devices.Cpu.Allocate(gradient);
            foreach (var p in plan.Trained)
                Devices.Cpu.Upload(new float[p.Length], p.Velocity);
            using var scale = Devices.Cpu.Allocate([0.3f]);
            for (int step = 0; step < 3; step++)
            {
                Devices.Cpu.Upload(TinyTrunk.Images(Images, step), plan.Input);
                plan.Forward(Images);
                plan.Backward(Images, dy);
                foreach (var p in plan.Trained)
                    p.Descend(0.05f, 0.9f, 0.001f, scale);
            }
            return [.. plan.Trained.SelectMany(p => new[] { p.Read(), Devices.Cpu.Download(p.Velocity) })];
        }
    }

    /// <summary>Neither weight decay nor momentum moves anything: a batch that asks for nothing is no update.</summary>
    [Test]
    public void ABatchWithoutViolations_ChangesNeitherWeightsNorVelocities()
    {
        var options = new TrainingOptions { TuplesPerBatch = 2, NegativesPerTuple = 2, LearningRate = 0.1f };
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        using var plan = network.Plan(TrainingStep.MaxImages(options), TinyTrunk.Height, TinyTrunk.Width, null, training: true);
        foreach (var p in plan.Trained)
            Devices.Cpu.Upload([.. Enumerable.Repeat(0.01f, (int)p.Length)], p.Velocity);
        // The positive is the query itself, and nothing is as near as that: no negative violates a margin so small.
        var batch = TrainingBatch.Of([new(0, 1, [2, 3], false), new(4, 5, [2], false)], 2, 0);
        float[] images = TinyTrunk.Images(Images);
        int each = images.Length / Images;
        images.AsSpan(0, each).CopyTo(images.AsSpan(each));
        images.AsSpan(batch.Images.ToList().IndexOf(new(4)) * each, each).CopyTo(images.AsSpan(batch.Images.ToList().IndexOf(new(5)) * each));
        Devices.Cpu.Upload(images, plan.Input);

        float[][] before = State();
        Assert.That(Step(1e-6f), Is.EqualTo(new TrainingStep.Outcome(2, 3, 0, 0)));
        foreach (var (now, then) in State().Zip(before))
            Assert.That(now, Is.EqualTo(then).AsCollection);
        Assert.That(Step(10).Violating, Is.EqualTo(3), "a wide margin finds all three triplets");
        Assert.That(State()[0], Is.Not.EqualTo(before[0]).AsCollection);

        TrainingStep.Outcome Step(float margin)
        {
            using var step = new TrainingStep(network, options with { Margin = margin });
            step.Start(plan, batch, 0.1f, where => new TrainingDiverged(where, 1, ""));
            return step.Finish(where => new TrainingDiverged(where, 1, ""));
        }

        float[][] State() => [.. plan.Trained.SelectMany(p => new[] { p.Read(), Devices.Cpu.Download(p.Velocity) })];
    }
}
