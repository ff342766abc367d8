using System.Diagnostics;
using System.Globalization;
using System.Text;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Perf.Peers;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// <c>ladder</c>: checks every rung against Reference on a small map of as many channels, whose sides no tile divides; then times all of them in turn on layers of VGG-16 at 480×640, and prints
/// the table of README.md.
/// </summary>
internal static unsafe class Ladder
{
    /// <summary>A rung that takes longer than this is timed once.</summary>
    private const double Slow = 1;

    private const string Usage = "ladder [--rounds N] [--layers conv2_2,conv4_2,conv5_1]";

    private static readonly Dictionary<string, ConvolutionShape> Layers = new()
    {
        ["conv1_2"] = new(1, 480, 640, 64, 64, 3, 3, 1, 1, Relu: 1),
        ["conv2_2"] = new(1, 240, 320, 128, 128, 3, 3, 1, 1, Relu: 1),
        ["conv3_2"] = new(1, 120, 160, 256, 256, 3, 3, 1, 1, Relu: 1),
        ["conv4_2"] = new(1, 60, 80, 512, 512, 3, 3, 1, 1, Relu: 1),
        ["conv5_1"] = new(1, 30, 40, 512, 512, 3, 3, 1, 1, Relu: 1),
    };

    public static void Run(ReadOnlySpan<string> args)
    {
        int rounds = 5;
        string[] layers = ["conv2_2", "conv4_2", "conv5_1"];
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            if (args[i] == "--rounds" && int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number > 0)
                rounds = number;
            else if (args[i] == "--layers" && value.Split(',') is var names && names.All(Layers.ContainsKey))
                layers = names;
            else
                throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}; layers are {string.Join(", ", Layers.Keys)}.");
        }
        using var device = Device.Cpu();
        double peak = FmaPeak.Measure(device.Threads);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{MachineReport.Create().Processor}, {device.Threads} threads, multiply-adds' peak {peak:0} GFLOP/s; medians of {rounds} rounds.\n");
        foreach (string layer in layers)
        {
            var errors = Checked(device, Layers[layer] with { H = 13, W = 17 });
            text.Append(CultureInfo.InvariantCulture, $"\n{layer}, {Layers[layer].H}×{Layers[layer].W}, {Layers[layer].Ic} to {Layers[layer].Oc} channels:\n\n");
            text.Append("| rung | ms | GFLOP/s, direct | of the peak | times as fast as before | error |\n|---|---|---|---|---|---|\n");
            double before = double.NaN;
            foreach (var (name, idea, seconds) in Timed(device, Layers[layer], rounds))
            {
                double rate = Layers[layer].Flops / seconds / 1e9;
                text.Append(CultureInfo.InvariantCulture, $"| {name}: {idea} | {1000 * seconds:0.0} | {rate:0.0} | {rate / peak:0.00} | {(double.IsNaN(before) ? "" : $"{before / seconds:0.0}")} | {errors[name]:0.0e0} |\n");
                before = seconds;
            }
        }
        Console.WriteLine(text);
    }

    /// <summary>Each rung's relative L2 distance from Reference.</summary>
    private static Dictionary<string, double> Checked(Device device, ConvolutionShape shape)
    {
        using var problem = new Problem(device, shape);
        using var workspace = device.Allocate(0);
        Convolution.ForwardOperation.Run(Convolution.ForwardOperation.Variants[^1], device, shape, [problem.X, problem.W, problem.B, problem.Y], workspace);
        float[] right = device.Download(problem.Y.View);
        double bound = Convolution.ForwardOperation.Tolerance(shape);
        var errors = new Dictionary<string, double>();
        problem.Each((name, rung) =>
        {
            device.Clear(problem.Y.View);
            rung.Run(HostMemory.Pointer(problem.X), HostMemory.Pointer(problem.Y));
            double error = errors[name] = RelativeDistance.L2(device.Download(problem.Y.View), right);
            if (!(error <= bound))
                throw new UserErrorException($"{name} is wrong on {shape}: {error:0.0e0} from Reference, where {bound:0.0e0} is admitted; repair it before it is timed.");
        });
        return errors;
    }

    private static List<(string Name, string Idea, double Seconds)> Timed(Device device, ConvolutionShape shape, int rounds)
    {
        using var problem = new Problem(device, shape);
        var times = problem.Rungs.Select(_ => new List<double>()).ToArray();
        for (int round = 0; round <= rounds; round++)
            problem.Each((name, rung) =>
            {
                var seen = times[problem.Rungs.IndexOf(rung)];
                if (seen is [> Slow, ..])
                    return;
                long begin = Stopwatch.GetTimestamp();
                rung.Run(HostMemory.Pointer(problem.X), HostMemory.Pointer(problem.Y));
                double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                // The first round warms up; where it alone takes long it counts.
                if (round > 0 || seconds > Slow)
                    seen.Add(seconds);
            });
        return [.. problem.Rungs.Select((r, i) => (r.GetType().Name, r.Idea, Median.Of(times[i])))];
    }

    /// <summary>A layer's numbers and all rungs, prepared.</summary>
    private sealed class Problem : IDisposable
    {
        public Problem(Device device, ConvolutionShape shape)
        {
            var inputs = Convolution.ForwardOperation.InputsFor(shape, 1);
            (X, W, B, Y) = (device.Allocate(inputs[0]), device.Allocate(inputs[1]), device.Allocate(inputs[2]), device.Allocate(shape.YLength));
            Rungs =
            [
                new V1PlainLoops(shape), new V2VectorsOfChannels(shape), new V3RegisterTile(shape), new V4PackedPanels(shape), new V5WinogradThreePasses(shape), new V6BlocksInCache(shape),
                new V7BetterPoints(shape), new V8Kernel(device, shape, X, W, B, Y),
            ];
            foreach (var rung in Rungs)
                rung.Prepare(HostMemory.Pointer(W), HostMemory.Pointer(B));
        }

        public DeviceBuffer X { get; }
        public DeviceBuffer W { get; }
        public DeviceBuffer B { get; }
        public DeviceBuffer Y { get; }
        public List<Rung> Rungs { get; }

        public void Each(Action<string, Rung> action) => Rungs.ForEach(r => action(r.GetType().Name, r));

        public void Dispose()
        {
            Rungs.ForEach(r => r.Dispose());
            X.Dispose();
            W.Dispose();
            B.Dispose();
            Y.Dispose();
        }
    }
}
