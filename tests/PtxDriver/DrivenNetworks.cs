using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;
using IlgpuNetVlad.Tests.Ptx;
using IlgpuNetVlad.Tests.Streams;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>Whole networks on CUDA's way, on a driver that does everything as late as it may: what nobody waited for has not happened.</summary>
[TestFixture]
public sealed class DrivenNetworks
{
    [Test]
    public void ATrainingStep_IsReferencesStep()
    {
        using var device = Driven.Open();
        var (expectedLoss, expected) = EmittedTraining.Step(Devices.Reference);
        var (loss, updates) = EmittedTraining.Step(device);
        // fp32 against fp64 sums, as for whole networks on the processor.
        Assert.That(loss, Is.EqualTo(expectedLoss).Within(1e-4 * expectedLoss));
        foreach (var (name, update) in updates)
            Assert.That(DeviceCheck.RelativeError(update, expected[name]), Is.LessThan(1e-4), name);
    }

    /// <summary>Nothing but the order of sums may differ, also where two steps are under way at once.</summary>
    [Test]
    public void StepsUnderWayAtOnce_LeaveWhatTheProcessorLeaves()
    {
        using var device = Driven.Open();
        float[] expected = StepsInTurn.Run(Devices.Cpu, UpdateNormaliser.Violating, steps: 4), found = StepsInTurn.Run(device, UpdateNormaliser.Violating, steps: 4);
        Assert.That(DeviceCheck.RelativeError(found, expected), Is.LessThan(1e-4));
    }

    /// <summary>A place is filled again only behind its reader, and read only behind its copy.</summary>
    [Test]
    public void BatchesCopiedAhead_ArriveEach()
    {
        const int Length = 5, Batches = 6;
        using var device = Driven.Open();
        using var input = device.Allocate(Length);
        using var taken = device.Allocate(Batches * Length);
        using var host = device.AllocateHost(Length);
        using var lane = new UploadLane(device, Length);
        for (int batch = 0; batch < Batches; batch++)
        {
            host.Span.Fill(batch + 1);
            lane.Send(host, Length);
            lane.Take(input);
            device.Copy(input.View, taken.View.SubView(batch * Length, Length));
            lane.WaitUntilSent();
        }
        Assert.That(device.Download(taken.View), Is.EqualTo(Enumerable.Range(0, Batches * Length).Select(i => i / Length + 1f)));
    }

    /// <summary>VGG-16 as an extraction plans it: with the first layer from pixels and pooling fused, where the device has kernels for that. Thirteen layers each round once.</summary>
    [TestCase(Precision.Fp32, 1e-4)]
    [TestCase(Precision.Bf16, 13 / 256.0)]
    public void Vgg16_DescribesAnImageAsTheProcessorDoes(Precision precision, double bound)
    {
        using var device = Driven.Open(precision);
        float[] expected = Described(Devices.Cpu), found = Described(device);
        Assert.That(DeviceCheck.RelativeError(found, expected), Is.LessThan(bound));
        Assert.That(DeviceCheck.RelativeError(expected, new float[expected.Length]), Is.EqualTo(1).Within(1e-4), "a descriptor's norm");
    }

    private static float[] Described(Device device)
    {
        const int Height = 16, Width = 16;
        using var network = Network.Create(device, NetworkSettings.For("vgg16") with { Clusters = 8 }, 1);
        var random = new Random(2);
        network.SetClusters(TinyTrunk.Numbers(random, network.PooledLength, 0.5f), 10);
        using var plan = network.Plan(1, Height, Width);
        device.Upload(TinyTrunk.Numbers(random, (int)plan.Input.Length), plan.Input);
        return device.Download(plan.Forward(1));
    }
}
