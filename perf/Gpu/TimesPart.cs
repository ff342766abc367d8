using System.Diagnostics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// Takes the times that no process before has taken: one process of <see cref="WatchedPart"/>. What is wanted most comes first: of each precision, from bf16 on, the rates of the
/// whole and the variants that its networks run, for every number of images; then all others. Variants that failed in the check run nowhere.
/// </summary>
internal sealed class TimesPart
{
    private static readonly (string Name, int In, int Out, int Down)[] Layers =
        [("conv1_1", 3, 64, 1), ("conv1_2", 64, 64, 1), ("conv2_2", 128, 128, 2), ("conv3_2", 256, 256, 4), ("conv4_2", 512, 512, 8), ("conv5_2", 512, 512, 16)];

    private readonly GpuOptions options;
    private readonly GpuProgress progress;
    private readonly HashSet<string?> done;
    private readonly HashSet<Variant> leftOut;
    private readonly long begin = Stopwatch.GetTimestamp();

    private TimesPart(GpuOptions options)
    {
        this.options = options;
        progress = new(options.TimesFile);
        progress.Read();
        done = [.. progress.Ended.Select(l => l.What)];
        var check = new GpuProgress(options.CheckFile);
        check.Read();
        leftOut = [.. GpuReport.LeftOut(check)];
    }

    /// <returns>The code with which the process is to end.</returns>
    public static int Run(GpuOptions options)
    {
        var part = new TimesPart(options);
        try
        {
            part.Run();
            return 0;
        }
        catch (DeviceLostException)
        {
            return WatchedPart.Again;
        }
    }

    private Precision[] Precisions => options.Cuda ? [.. Enum.GetValues<Precision>().Reverse()] : [Precision.Fp32];

    private Device Open(Precision precision)
    {
        var device = options.Open(precision);
        device.LeftOut = leftOut;
        return device;
    }

    private void Run()
    {
        using (var torch = options.Only.Count == 0 ? TorchPeer.Start(options.Torch) : null)
            foreach (var precision in Precisions)
                using (var device = Open(precision))
                {
                    if (precision > Precision.Fp32 && !device.HasTensorCores)
                        continue;
                    if (options.Only.Count == 0)
                        Rates(device, torch);
                    // Whenever the time ends, as much is known of one number of images as of another.
                    Convolutions(device, (operation, shape) => operation.Takes(device, shape) ? [operation.Choose(device, shape)] : []);
                }
        using (var device = Open(Precision.Fp32))
            Convolutions(device, (operation, shape) => operation.AllVariants.Where(v => v.Kind != VariantKind.Reference && operation.RefusalOf(v, device, shape) is null));
    }

    /// <summary>Images and training steps a second, in turn with PyTorch's.</summary>
    private void Rates(Device device, TorchPeer? torch)
    {
        string name = device.Precision.ToString().ToLowerInvariant();
        void InTurn(string what, string work, int images, Func<double> seconds)
        {
            Rate(device, what, name, images, seconds);
            if (torch is not null && device.Precision > Precision.Fp32)
                Rate(device, what, $"{name}, PyTorch", images, () => torch.Seconds(work, name, images, options.Height, options.Width));
        }

        foreach (int batch in options.Batches)
            InTurn($"extraction, {batch} images", "extraction", batch, () => NetworkTimes.Extraction(device, options, batch));
        foreach (string first in new[] { "conv5_1", "conv1_1" })
            InTurn($"training step from {first}, {options.Batches[^1]} images", first, options.Batches[^1], () => NetworkTimes.Step(device, options, first));
    }

    private void Rate(Device device, string what, string how, int images, Func<double> seconds)
        => Take(device, new(what, how, images, 0, 0, 0, null), row => row with { Seconds = seconds() });

    private void Convolutions(Device device, Func<Operation<ConvolutionShape>, ConvolutionShape, IEnumerable<Variant>> variantsOf)
    {
        using var timer = new DeviceTimer(device);
        foreach (int batch in options.Batches.Reverse())
            foreach (var (name, ic, oc, down) in Layers)
            {
                var shape = new ConvolutionShape(batch, options.Height / down, options.Width / down, ic, oc, 3, 3, 1, 1, 1, 1);
                // Maps as a network keeps them: fp32, and bf16 where the precision is that, but for pictures.
                foreach (var maps in new[] { shape, shape with { XBf16 = ic == 3 ? 0 : 1, YBf16 = 1 } })
                    foreach (var operation in new[] { Convolution.ForwardOperation, Convolution.BackwardDataOperation, Convolution.BackwardWeightsOperation })
                        // The gradient of pictures is never asked for.
                        if (options.Wants(operation) && (ic > 3 || operation != Convolution.BackwardDataOperation))
                            OneConvolution(device, timer, operation, variantsOf(operation, maps), name, maps);
            }
    }

    private void OneConvolution(Device device, DeviceTimer timer, Operation<ConvolutionShape> operation, IEnumerable<Variant> variants, string layer, ConvolutionShape shape)
    {
        NoiseBuffers? buffers = null;
        try
        {
            foreach (var variant in variants)
                Take(device, new($"{operation.Name}, {layer}{(shape.YBf16 != 0 ? ", maps in bf16" : "")}", variant.Name, shape.B, 0, 0, 0, null), row =>
                {
                    buffers ??= new(device, operation, shape);
                    var views = buffers.Views;
                    using var workspace = device.Allocate(operation.WorkspaceOf(variant, device, shape));
                    void Work() => operation.RunWith(variant, device, shape, views, workspace);
                    double warm = timer.Seconds(Work, cold: false);
                    return row with { Seconds = warm, ColdSeconds = timer.Seconds(Work, cold: true), Teraflops = shape.Flops / warm / 1e12 };
                });
        }
        finally
        {
            buffers?.Dispose();
        }
    }

    /// <summary>Takes one time, if nobody has, and there is time.</summary>
    private void Take(Device device, GpuRow row, Func<GpuRow, GpuRow> measure)
    {
        var line = new GpuLine(Time: row);
        if (!done.Add(line.What))
            return;
        if (Stopwatch.GetElapsedTime(begin).TotalSeconds > options.Seconds)
        {
            progress.End(line.Failed("not measured: no time left"));
            return;
        }
        progress.Begin(line);
        try
        {
            progress.End(new(Time: measure(row)));
        }
        catch (Exception e)
        {
            progress.End(line.Failed(e.GetBaseException().Message));
            if (device.IsLost)
                throw new DeviceLostException();
        }
    }

    /// <summary>Nothing more can be timed in this process.</summary>
    private sealed class DeviceLostException : Exception;
}
