using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Perf.Peers;

namespace IlgpuNetVlad.Perf.Profiles;

/// <summary>Where the time of one extraction or one training step goes, operation by operation.</summary>
internal static class ProfileRun
{
    public static void Run(ProfileOptions options)
    {
        using var device = DeviceChoice.Open(options.Device).Device;
        double? peak = null;
        if (device.Kind == DeviceKind.Cpu)
            peak = FmaPeak.Measure(device.Threads);
        using var network = Network.Create(device, options.Network, 1);
        var random = new Random(1);
        if (options.Network.Pooling.HasClusters())
        {
            var centroids = new float[options.Network.Clusters * network.LocalDimension];
            Noise(random, centroids);
            network.SetClusters(centroids, 10);
        }
        bool training = options.TrainFrom is not null;
        using var plan = network.Plan(options.Batch, options.Height, options.Width, options.TrainFrom, training);
        var images = new float[options.Batch * plan.InputShape.Length];
        Noise(random, images);
        device.Upload(images, plan.Input);
        using var loss = training ? new Loss(network, options.Batch, options.Satisfied) : null;

        void Once()
        {
            var descriptors = plan.Forward(options.Batch);
            loss?.Run(plan, descriptors);
            device.Synchronize();
        }

        Once();
        var profile = new OperationProfile();
        for (int round = 0; round < options.Rounds; round++)
        {
            device.Observer = profile;
            Once();
            device.Observer = null;
            long begin = Stopwatch.GetTimestamp();
            Once();
            profile.EndRound(Stopwatch.GetElapsedTime(begin));
        }

        string what = training ? $"a training step from {options.TrainFrom}{(options.Satisfied > 0 ? $", {options.Satisfied} images without a gradient" : "")}" : "extraction";
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Network.Backbone}, {options.Network.Pooling.Name()}, {what}, {options.Batch} × {options.Height}×{options.Width}, median of {options.Rounds}; {MachineReport.Create().Processor}, {device.Description}{(peak is { } p ? $", multiply-adds' peak {p:0} GFLOP/s" : "")}; {plan.Bytes / 1e6:0} MB of maps.\n\n{profile.Markdown(peak)}");
        Console.WriteLine(text);
        if (options.File is { } file)
            AtomicFile.WriteText(file, text);
    }

    private static void Noise(Random random, Span<float> values)
    {
        foreach (ref float value in values)
            value = 4 * random.NextSingle() - 2;
    }

    /// <summary>The loss of tuples of twelve images (one tuple of fewer where there are fewer), the way back and the update.</summary>
    private sealed class Loss : IDisposable
    {
        private readonly Network network;
        private readonly RankingShape shape;
        private readonly DeviceBuffer rows, losses, violating, scale, gradient, workspace;
        private readonly float[] zeros;
        private readonly int satisfied;

        public Loss(Network network, int images, int satisfied)
        {
            this.network = network;
            this.satisfied = Math.Min(images, satisfied);
            zeros = new float[network.PooledLength];
            int tuples = Math.Max(1, images / ProfileOptions.Tuple), each = images / tuples;
            // A margin that every tuple violates: all images take the way back.
            shape = new(tuples, 1, Math.Max(0, each - 2), network.PooledLength, images, 4);
            var device = network.Device;
            rows = device.Allocate(shape.Tuples * (2 + shape.MaxNegatives));
            device.Upload([.. Enumerable.Range(0, (int)rows.Length).Select(i => BitConverter.Int32BitsToSingle(i % (2 + shape.MaxNegatives) + i / (2 + shape.MaxNegatives) * each))], rows.View);
            losses = device.Allocate(tuples);
            violating = device.Allocate(tuples);
            scale = device.Allocate(1);
            gradient = device.Allocate((long)images * network.PooledLength);
            workspace = device.Allocate(RankingLoss.WeakOperation.Workspace(device, shape));
        }

        public void Run(NetworkPlan plan, ILGPU.ArrayView<float> descriptors)
        {
            RankingLoss.WeakOperation.Run(network.Device, shape, [descriptors, rows, losses, violating, gradient], workspace);
            for (int i = 0; i < satisfied; i++)
                network.Device.Upload(zeros, gradient.View.SubView((long)i * shape.Images / satisfied * zeros.Length, zeros.Length));
            UpdateScale.Run(network.Device, new(shape.Tuples, ProfileOptions.Tuple), losses, violating, scale);
            plan.Backward(shape.Images, gradient);
            foreach (var p in plan.Trained)
                p.Descend(1e-6f, 0.9f, 1e-3f, scale);
        }

        public void Dispose()
        {
            rows.Dispose();
            losses.Dispose();
            violating.Dispose();
            scale.Dispose();
            gradient.Dispose();
            workspace.Dispose();
        }
    }
}
