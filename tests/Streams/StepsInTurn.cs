using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>Training steps on a device that works beside the host: the host enqueues them and looks at none before the next is under way; what they leave is the same.</summary>
[TestFixture]
public sealed class StepsInTurn
{
    private static readonly TrainingOptions Options = new() { TuplesPerBatch = 2, NegativesPerTuple = 2, Margin = 10, WeightDecay = 0.01f };

    private static readonly TrainingBatch Batch = TrainingBatch.Of([new(0, 1, [2, 3], false), new(4, 5, [6, 7], false)], Options.NegativesPerTuple, 0);

    [Test]
    public void TwoUnderWay_LeaveWhatOneAfterTheOtherLeaves([Values] UpdateNormaliser normaliser)
        => Assert.That(Run(beside: true, normaliser, steps: 5), Is.EqualTo(Run(beside: false, normaliser, steps: 5)).AsCollection);

    [Test]
    public void AStep_WaitsForNothing_AndTheHostOnlyForTheOneBefore()
    {
        var log = new WorkLog();
        Run(beside: true, UpdateNormaliser.Violating, steps: 4, log);
        Assert.That(log.Count(WorkKind.Synchronisation), Is.Zero);
        Assert.That(log.Count(WorkKind.HostWait), Is.EqualTo(4), "once a step, for its loss");
        Assert.That(log.Conflicts, Is.Empty);
    }

    /// <summary>No triplet violates a margin of 0 from an image to itself: momentum must not move a parameter.</summary>
    [Test]
    public void AStepWithoutLoss_ChangesNothing([Values] bool beside)
    {
        using var device = Device.Cpu(1, worksBesideHost: beside);
        using var network = TinyTrunk.Network(device, PoolingKind.NetVlad);
        using var plan = network.Plan(TrainingStep.MaxImages(Options), TinyTrunk.Height, TinyTrunk.Width, training: true);
        using var step = new TrainingStep(network, Options with { Margin = 0 });
        float[] same = TinyTrunk.Images(1);
        device.Upload([.. Enumerable.Repeat(same, plan.MaxImages).SelectMany(x => x)], plan.Input);
        foreach (var p in plan.Trained)
            device.Upload(Enumerable.Repeat(1f, (int)p.Length).ToArray(), p.Velocity);
        float[] before = Numbers(device, plan);
        step.Start(plan, Batch, 0.1f, Diverged);
        var outcome = step.Finish(Diverged);
        Assert.That((outcome.LossSum, outcome.Violating, outcome.Tuples, outcome.Negatives), Is.EqualTo((0.0, 0, 2, 4)));
        Assert.That(Numbers(device, plan), Is.EqualTo(before).AsCollection);
    }

    /// <summary>Neither the step whose loss is NaN nor one that was enqueued before the host knew.</summary>
    [Test]
    public void NoStepBehindALossThatIsNotFinite_TouchesAParameter()
    {
        using var device = Device.Cpu(1, worksBesideHost: true);
        using var network = TinyTrunk.Network(device, PoolingKind.NetVlad);
        using var plan = network.Plan(TrainingStep.MaxImages(Options), TinyTrunk.Height, TinyTrunk.Width, training: true);
        using var step = new TrainingStep(network, Options);
        float[] images = TinyTrunk.Images(plan.MaxImages), broken = [.. images];
        broken[7] = float.NaN;
        float[] before = Numbers(device, plan);
        device.Upload(broken, plan.Input);
        step.Start(plan, Batch, 0.1f, Diverged);
        device.Upload(images, plan.Input);
        step.Start(plan, Batch, 0.1f, Diverged);
        Assert.That(() => step.Finish(Diverged), Throws.TypeOf<TrainingDiverged>());
        Assert.That(Numbers(device, plan), Is.EqualTo(before).AsCollection);
        Assert.That(() => step.Start(plan, Batch, 0.1f, Diverged), Throws.Nothing, "there is a place again");
        Assert.That(() => step.Start(plan, Batch, 0.1f, Diverged), Throws.InvalidOperationException, "and no third");
    }

    [Test]
    public void AScale_ThatIsNaN_StaysSo([Values("host", "simt", "emitted", "reference")] string variant)
    {
        var device = variant switch { "simt" => Devices.Simulation, "emitted" => Devices.Emitted, _ => Devices.Cpu };
        var chosen = UpdateScale.Operation.Variants.First(v => v.Name == (variant == "emitted" ? "simt" : variant));
        using var violating = device.Allocate(2);
        using var scale = device.Allocate(1);
        float Scale(params float[] losses)
        {
            using var loss = device.Allocate(losses);
            UpdateScale.Operation.Run(chosen, device, new(losses.Length, 4), [loss, violating, scale], default);
            return device.Download(scale.View)[0];
        }

        Assert.That(Scale(1, 2), Is.EqualTo(0.25f));
        Assert.That(Scale(0, 0), Is.Zero);
        Assert.That(Scale(1, float.PositiveInfinity), Is.NaN);
        Assert.That(Scale(1, 2), Is.NaN);
        device.Upload([1f], scale);
        Assert.That(Scale(float.NaN, 2), Is.NaN);
        device.Upload([1f], scale);
        Assert.That(Scale(1, 2), Is.EqualTo(0.25f));
    }

    /// <returns>Parameters and velocities after some steps, and what each found.</returns>
    private static float[] Run(bool beside, UpdateNormaliser normaliser, int steps, WorkLog? log = null)
    {
        using var device = Device.Cpu(2, worksBesideHost: beside);
        return Run(device, normaliser, steps, log);
    }

    /// <inheritdoc cref="Run(bool, UpdateNormaliser, int, WorkLog?)"/>
    internal static float[] Run(Device device, UpdateNormaliser normaliser, int steps, WorkLog? log = null)
    {
        using var network = TinyTrunk.Network(device, PoolingKind.NetVlad);
        using var plan = network.Plan(TrainingStep.MaxImages(Options), TinyTrunk.Height, TinyTrunk.Width, training: true);
        using var step = new TrainingStep(network, Options with { Normaliser = normaliser });
        var images = Enumerable.Range(0, steps).Select(i => TinyTrunk.Images(plan.MaxImages, i)).ToArray();
        var found = new List<float>();
        void Finish()
        {
            var outcome = step.Finish(Diverged);
            found.AddRange([(float)outcome.LossSum, outcome.Violating]);
        }

        for (int i = 0; i < steps; i++)
        {
            device.WorkObserver = null;
            device.Upload(images[i], plan.Input);
            device.WorkObserver = log;
            step.Start(plan, Batch, 0.05f, Diverged);
            if (step.IsFull)
                Finish();
        }
        while (step.UnderWay > 0)
            Finish();
        device.WorkObserver = null;
        return [.. found, .. Numbers(device, plan)];
    }

    private static float[] Numbers(Device device, NetworkPlan plan) => [.. plan.Trained.SelectMany(p => p.Read()), .. plan.Trained.SelectMany(p => device.Download(p.Velocity))];

    private static TrainingDiverged Diverged(string where) => new(where, 1, "none");
}
