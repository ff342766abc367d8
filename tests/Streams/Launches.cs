using ILGPU;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>How many kernels a GPU is given for VGG-16 with NetVLAD, eight images at once: few enough that their launches, a few microseconds each, do not matter beside their work.</summary>
[TestFixture]
public sealed class Launches
{
    [TestCase(Precision.Fp32, 20)]
    [TestCase(Precision.Tf32, 25)]
    [TestCase(Precision.Bf16, 35)]
    public void OfAnExtraction(Precision precision, int most)
    {
        var log = new WorkLog();
        using var device = Device.Simulation(precision, new RunsNothing());
        using var network = Open(device);
        using var plan = network.Plan(8, 96, 128);
        // Prepares the weights.
        plan.Forward(8);
        device.WorkObserver = log;
        plan.Forward(8);
        TestContext.Out.WriteLine($"{log.Kernels.Count} launches: {string.Join(", ", log.Kernels)}");
        Assert.That(log.Kernels, Has.Count.LessThanOrEqualTo(most).And.Count.GreaterThan(13));
        Assert.That(log.Count(WorkKind.Synchronisation) + log.Count(WorkKind.HostWait), Is.Zero);
    }

    [TestCase(Precision.Bf16, 95)]
    public void OfForwardAndBackwardFromConv5(Precision precision, int most)
    {
        var log = new WorkLog();
        using var device = Device.Simulation(precision, new RunsNothing());
        using var network = Open(device);
        using var plan = network.Plan(8, 96, 128, "conv5_1", training: true);
        using var gradient = device.Allocate(8L * network.PooledLength);
        plan.Forward(8);
        device.WorkObserver = log;
        plan.Forward(8);
        plan.Backward(8, gradient);
        TestContext.Out.WriteLine($"{log.Kernels.Count} launches: {string.Join(", ", log.Kernels)}");
        Assert.That(log.Kernels, Has.Count.LessThanOrEqualTo(most).And.Count.GreaterThan(13));
        Assert.That(log.Count(WorkKind.Synchronisation) + log.Count(WorkKind.HostWait), Is.Zero);
    }

    private static Network Open(Device device)
    {
        var network = Network.Create(device, NetworkSettings.For("vgg16"), 1);
        network.SetClusters(new float[network.PooledLength], 10);
        return network;
    }

    private sealed class RunsNothing : IKernelLauncher
    {
        public void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments)
        {
        }

        public void Encode(in TensorBox box, Span<float> map)
        {
        }
    }
}
