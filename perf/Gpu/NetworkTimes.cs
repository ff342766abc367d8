using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>Times of VGG-16 with NetVLAD of 64 clusters, its numbers random, for times do not depend on them.</summary>
internal static class NetworkTimes
{
    /// <summary>Seconds of one batch's descriptors.</summary>
    public static double Extraction(Device device, GpuOptions o, int batch)
    {
        using var network = Open(device);
        using var plan = network.Plan(batch, o.Height, o.Width);
        using var timer = new DeviceTimer(device);
        return timer.Seconds(() => plan.Forward(batch), cold: false);
    }

    /// <summary>Forward, backward and the update, of made-up gradients.</summary>
    public static double Step(Device device, GpuOptions o, string first)
    {
        int images = o.Batches[^1];
        using var network = Open(device);
        using var plan = network.Plan(images, o.Height, o.Width, first, training: true);
        using var gradient = device.Allocate((long)images * network.PooledLength);
        using var scale = device.Allocate([1f]);
        using var timer = new DeviceTimer(device);
        return timer.Seconds(
            () =>
            {
                plan.Forward(images);
                plan.Backward(images, gradient);
                foreach (var p in plan.Trained)
                    p.Descend(1e-6f, 0.9f, 1e-3f, scale);
            },
            cold: false);
    }

    private static Network Open(Device device)
    {
        var network = Network.Create(device, NetworkSettings.For("vgg16"), 1);
        var random = new Random(2);
        network.SetClusters([.. Enumerable.Range(0, network.PooledLength).Select(_ => random.NextSingle() - 0.5f)], 10);
        return network;
    }
}
