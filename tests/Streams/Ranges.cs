using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>What a profiler's timeline is told: every layer within its pass, every pass within its step, and all of them end.</summary>
[TestFixture]
public sealed class Ranges
{
    private static readonly string[] Layers = ["conv1_1", "norm", "half", "conv2_1", "fire", "d", "pool"];

    [Test]
    public void AStep_NamesItsPassesAndTheirLayers()
    {
        var told = new Told();
        using var device = Device.Cpu(1, worksBesideHost: true);
        device.Ranges = told;
        var options = new TrainingOptions { TuplesPerBatch = 1, NegativesPerTuple = 1, Margin = 10 };
        using var network = TinyTrunk.Network(device, PoolingKind.NetVlad);
        using var plan = network.Plan(TrainingStep.MaxImages(options), TinyTrunk.Height, TinyTrunk.Width, training: true);
        using var step = new TrainingStep(network, options);
        device.Upload(TinyTrunk.Images(plan.MaxImages), plan.Input);
        step.Start(plan, TrainingBatch.Of([new(0, 1, [2], false)], 1, 0), 0.1f, where => new(where, 1, "none"));
        string[] expected =
        [
            "training step", .. new[] { "forward" }.Concat(Layers.Select(l => "forward/" + l)).Append("loss").Append("backward")
                .Concat(Layers.Reverse().Select(l => "backward/" + l)).Append("update").Select(r => "training step/" + r),
        ];
        Assert.That(told.Paths, Is.EqualTo(expected));
        Assert.That(told.Open, Is.Zero);
    }

    [Test]
    public void TheyEnd_WhereALayerThrows()
    {
        var told = new Told();
        using var device = Device.Cpu(1);
        device.Ranges = told;
        using var network = Network.Create(device, new NetworkSettings(), 1, TinyTrunk.Backbone);
        using var plan = network.Plan(1, TinyTrunk.Height, TinyTrunk.Width);
        Assert.That(() => plan.Forward(2), Throws.Exception);
        Assert.That(() => plan.ForwardTrunk(2), Throws.Exception);
        Assert.That(told.Open, Is.Zero);
    }

    [Test]
    public void ALibraryThatIsNoNvtx_IsNotTaken()
    {
        Assert.That(NvtxRanges.Open(Path.Combine(Path.GetTempPath(), "no such library")), Is.Null);
        if (OperatingSystem.IsLinux())
            Assert.That(NvtxRanges.Open("libc.so.6"), Is.Null);
    }

    private sealed class Told : IRangeSink
    {
        private readonly Stack<string> open = new();

        public List<string> Paths { get; } = [];

        public int Open => open.Count;

        public void Push(string name)
        {
            open.Push(open.Count == 0 ? name : $"{open.Peek()}/{name}");
            Paths.Add(open.Peek());
        }

        public void Pop() => open.Pop();
    }
}
