using System.Diagnostics;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// The run book for a machine with a GPU: is every kernel right, how fast is each, how fast is the whole. Whatever does not fit into its memory stands in the report as such,
/// and what was measured is written after every section, so that a run that is cut short leaves all that it found.
/// </summary>
internal static class GpuRun
{
    /// <returns>Whether every kernel agreed with the processor.</returns>
    public static bool Run(GpuOptions options)
    {
        KeptKernels.Folder = KeptKernels.UsualFolder;
        switch (options.Part)
        {
            case GpuPart.Metrics:
                Console.WriteLine(CounterTable.Metrics);
                return true;
            case GpuPart.Launch:
                CounterTable.Launch(options);
                return true;
            case GpuPart.Counters:
                CounterTable.Write(options, options.Ncu);
                return true;
        }
        if (options.Cuda && Device.CudaCount() == 0)
            throw new UserErrorException("There is no CUDA device here: install an NVIDIA driver, or rehearse with --device cpu or on the driver that executes PTX (docs/gpu.md).");
        long begin = Stopwatch.GetTimestamp();
        void InTime()
        {
            if (Stopwatch.GetElapsedTime(begin).TotalSeconds > options.Seconds)
                throw new UserErrorException("not measured: no time left");
        }

        using var host = Device.Cpu();
        var report = new GpuReport(options);
        using (var device = options.Cuda ? Device.Cuda() : Device.Cpu())
        {
            report.Device = device.Description;
            Console.WriteLine($"Device: {device.Description}; checking every kernel against {host.Description}");
            device.Compile(DeviceCheck.KernelsOn(device));
            report.Checks = DeviceCheck.Run(device, host);
            foreach (var failed in report.Checks.Where(c => !c.Ok))
                Console.WriteLine($"WRONG: {failed.Operation} {failed.Variant} {failed.Problem}: error {failed.Error:0.0e0}, admitted {failed.Tolerance:0.0e0}");
            report.Write();
            if (options.Part == GpuPart.Check)
                return report.AllRight;
        }
        // What is wanted most comes first.
        using (var torch = TorchPeer.Start(options.Torch))
            foreach (var precision in options.Cuda ? Enum.GetValues<Precision>().Reverse() : [Precision.Fp32])
                using (var device = options.Cuda ? Device.Cuda(0, precision) : Device.Cpu())
                {
                    if (precision > Precision.Fp32 && !device.HasTensorCores)
                        continue;
                    string name = precision.ToString().ToLowerInvariant();
                    void InTurn(string what, string work, int images, Func<double> seconds)
                    {
                        Whole(report, what, name, images, () => { InTime(); return seconds(); });
                        if (torch is not null && precision > Precision.Fp32)
                            Whole(report, what, $"{name}, PyTorch", images, () => { InTime(); return torch.Seconds(work, name, images, options.Height, options.Width); });
                    }

                    foreach (int batch in options.Batches)
                        InTurn($"extraction, {batch} images", "extraction", batch, () => Extraction(device, options, batch));
                    foreach (string first in new[] { "conv5_1", "conv1_1" })
                        InTurn($"training step from {first}, {options.Batches[^1]} images", first, options.Batches[^1], () => Step(device, options, first));
                }
        using (var device = options.Cuda ? Device.Cuda() : Device.Cpu())
            foreach (int batch in options.Batches.Reverse())
            {
                Convolutions(device, options, batch, report, InTime);
                report.Write();
            }
        return report.AllRight;
    }

    private static void Convolutions(Device device, GpuOptions o, int batch, GpuReport report, Action inTime)
    {
        using var timer = new DeviceTimer(device);
        foreach (var (name, ic, oc, down) in new[] { ("conv1_1", 3, 64, 1), ("conv1_2", 64, 64, 1), ("conv2_2", 128, 128, 2), ("conv3_2", 256, 256, 4), ("conv4_2", 512, 512, 8), ("conv5_2", 512, 512, 16) })
        {
            var shape = new ConvolutionShape(batch, o.Height / down, o.Width / down, ic, oc, 3, 3, 1, 1, 1, 1);
            // Maps as a network keeps them: fp32, and bf16 where the precision is that, but for pictures.
            foreach (var maps in new[] { shape, shape with { XBf16 = ic == 3 ? 0 : 1, YBf16 = 1 } })
                foreach (var operation in new[] { Convolution.ForwardOperation, Convolution.BackwardDataOperation, Convolution.BackwardWeightsOperation })
                    // The gradient of pictures is never asked for.
                    if (ic > 3 || operation != Convolution.BackwardDataOperation)
                        foreach (var variant in operation.AllVariants.Where(v => v.Kind != VariantKind.Reference && operation.RefusalOf(v, device, maps) is null))
                            report.Add(Timed(device, timer, operation, variant, name, maps, inTime));
        }
    }

    private static GpuRow Timed(Device device, DeviceTimer timer, Operation operation, Variant variant, string layer, ConvolutionShape shape, Action inTime)
    {
        string what = $"{operation.Name}, {layer}{(shape.YBf16 != 0 ? ", maps in bf16" : "")}";
        try
        {
            inTime();
            var (warm, cold) = Time(device, timer, operation, variant, shape);
            return new(what, variant.Name, shape.B, warm, cold, shape.Flops / warm / 1e12, null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new(what, variant.Name, shape.B, 0, 0, 0, e.Message);
        }
    }

    private static (double Warm, double Cold) Time(Device device, DeviceTimer timer, Operation operation, Variant variant, ConvolutionShape shape)
    {
        var buffers = new List<DeviceBuffer>();
        try
        {
            var random = new Random(1);
            float[] numbers = [.. Enumerable.Range(0, 1 << 16).Select(_ => random.NextSingle() * 2 - 1)], rows = new float[Bf16Rows.Floats(numbers.Length / 8, 8)];
            Bf16Rows.Pack(numbers, 8, rows);
            foreach (var spec in operation.BuffersOf(shape))
            {
                float[] noise = spec.Bf16Row > 0 ? rows : numbers;
                buffers.Add(device.Allocate(spec.Length));
                // The same noise again and again: making gigabytes on the host would take longer than all else.
                for (long at = 0; at < spec.Length; at += noise.Length)
                    device.Upload(noise.AsSpan(0, (int)Math.Min(noise.Length, spec.Length - at)), buffers[^1].View.SubView(at, Math.Min(noise.Length, spec.Length - at)));
            }
            buffers.Add(device.Allocate(operation.WorkspaceOf(variant, device, shape)));
            ILGPU.ArrayView<float>[] views = [.. buffers.SkipLast(1).Select(b => b.View)];
            void Work() => operation.RunWith(variant, device, shape, views, buffers[^1]);
            return (timer.Seconds(Work, cold: false), timer.Seconds(Work, cold: true));
        }
        finally
        {
            buffers.ForEach(b => b.Dispose());
        }
    }

    private static void Whole(GpuReport report, string what, string name, int images, Func<double> seconds)
    {
        try
        {
            double taken = seconds();
            report.Add(new(what, name, images, taken, 0, 0, null));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            report.Add(new(what, name, images, 0, 0, 0, e.Message));
        }
        report.Write();
    }

    private static double Extraction(Device device, GpuOptions o, int batch)
    {
        using var network = Open(device);
        using var plan = network.Plan(batch, o.Height, o.Width);
        using var timer = new DeviceTimer(device);
        return timer.Seconds(() => plan.Forward(batch), cold: false);
    }

    /// <summary>Forward, backward and the update, of made-up gradients.</summary>
    private static double Step(Device device, GpuOptions o, string first)
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

    /// <summary>VGG-16 with NetVLAD of 64 clusters, random numbers: times do not depend on them.</summary>
    private static Network Open(Device device)
    {
        var network = Network.Create(device, NetworkSettings.For("vgg16"), 1);
        var random = new Random(2);
        network.SetClusters([.. Enumerable.Range(0, network.PooledLength).Select(_ => random.NextSingle() - 0.5f)], 10);
        return network;
    }
}
