using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>A whole update of a small network, with every kind of layer, through the PTX that a GPU would run: forward, loss, backward and SGD.</summary>
[TestFixture]
public sealed class EmittedTraining
{
    /// <summary>So large that what is left of the old parameters, and its rounding, does not matter beside the update.</summary>
    private const float LearningRate = 1e4f;

    [Test]
    public void AStepThroughEmittedPtx_IsReferencesStep()
    {
        using var launcher = new PtxLauncher();
        using var emitted = Device.Simulation(launcher: launcher);
        var (expectedLoss, expected) = Step(Devices.Reference);
        var (loss, updates) = Step(emitted);
        // fp32 against fp64 sums, as for whole networks on the processor.
        Assert.That(loss, Is.EqualTo(expectedLoss).Within(1e-4 * expectedLoss));
        foreach (var (name, update) in updates)
            Assert.That(DeviceCheck.RelativeError(update, expected[name]), Is.LessThan(1e-4), name);
    }

    /// <summary>
    /// The largest rounding of a product, once for each of the thirteen that lie behind one another on the way there and back, bounds what lies behind the last pooling. Further down a maximum or a
    /// ReLU that another pixel wins moves a gradient by as much as it is; there only the direction is held.
    /// </summary>
    [TestCase(Precision.Tf32, 1 / 1024.0)]
    [TestCase(Precision.Bf16, 1 / 256.0)]
    public void AStepOnTensorCores_IsNearReferencesStep(Precision precision, double rounding)
    {
        using var launcher = new PtxLauncher();
        using var emitted = Device.Simulation(precision, launcher);
        var (expectedLoss, expected) = Step(Devices.Reference);
        var (loss, updates) = Step(emitted);
        Assert.That(loss, Is.EqualTo(expectedLoss).Within(rounding * expectedLoss));
        foreach (var (name, update) in updates)
            Assert.That(DeviceCheck.RelativeError(update, expected[name]), Is.LessThan(name.StartsWith("pool.", StringComparison.Ordinal) || name.StartsWith("d.", StringComparison.Ordinal) ? 13 * rounding : 0.5), name);
    }

    /// <summary>The same bounds: a map in bf16 is rounded where the next product would round it.</summary>
    [Test]
    public void AStepWithMapsInBf16_IsNearReferencesStep()
    {
        using var launcher = new PtxLauncher();
        using var emitted = Device.Simulation(Precision.Bf16, launcher);
        var (expectedLoss, expected) = Step(Devices.Reference, TinyTrunk.Convolutions);
        var (loss, updates) = Step(emitted, TinyTrunk.Convolutions);
        Assert.That(loss, Is.EqualTo(expectedLoss).Within(expectedLoss / 256));
        foreach (var (name, update) in updates)
            Assert.That(DeviceCheck.RelativeError(update, expected[name]), Is.LessThan(name.StartsWith("pool.", StringComparison.Ordinal) || name.StartsWith("d.", StringComparison.Ordinal) ? 13 / 256.0 : 0.5), name);
    }

    /// <returns>The loss, and by how much each parameter changed.</returns>
    internal static (double Loss, Dictionary<string, float[]> Updates) Step(Device device, Backbone? trunk = null)
    {
        var options = new TrainingOptions { TuplesPerBatch = 2, NegativesPerTuple = 2, Margin = 10, WeightDecay = 0 };
        int images = TrainingStep.MaxImages(options);
        using var network = TinyTrunk.Network(device, PoolingKind.NetVlad, trunk: trunk);
        using var plan = network.Plan(images, TinyTrunk.Height, TinyTrunk.Width, training: true);
        using var step = new TrainingStep(network, options);
        device.Upload(TinyTrunk.Images(images), plan.Input);
        var before = plan.Trained.ToDictionary(p => p.Name, p => p.Read());
        var batch = TrainingBatch.Of([new(0, 1, [2, 3], false), new(4, 5, [6, 7], false)], options.NegativesPerTuple, 0);
        step.Start(plan, batch, LearningRate, where => new TrainingDiverged(where, 1, "none"));
        var outcome = step.Finish(where => new TrainingDiverged(where, 1, "none"));
        Assert.That(outcome.Violating, Is.EqualTo(4), "a margin that no tuple keeps");
        return (outcome.LossSum, plan.Trained.ToDictionary(p => p.Name, p => p.Read().Zip(before[p.Name], (now, then) => now - then).ToArray()));
    }
}
