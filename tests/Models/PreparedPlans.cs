using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Plans without a way back keep transformed weights and pool in the convolution: neither may show in a number.</summary>
[TestFixture]
public sealed class PreparedPlans
{
    private const int Height = 29, Width = 34, Images = 3;

    private static readonly Backbone Trunk = new(
        "tiny",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "a", 3, 16, 3, padding: 1),
            new MaxPoolingLayer("half", 2, 2, settings.CeilPooling == true),
            new ConvolutionLayer(device, "b", 16, 24, 3, padding: 1),
            new MaxPoolingLayer("quarter", 2, 2),
            new FireLayer(device, "c", 24, 16, 20),
        ],
        CeilPooling: false,
        Preprocessing.City);

    private static Network Network() => Engine.Models.Network.Create(Devices.Cpu, new NetworkSettings { Pooling = PoolingKind.Max }, 3, Trunk);

    [Test]
    public void Descriptors_AreThoseOfTraining_BitForBit()
    {
        using var network = Network();
        using var training = network.Plan(Images, Height, Width, training: true);
        using var inference = network.Plan(Images, Height, Width);
        Assert.That(Run(inference, Images), Is.EqualTo(Run(training, Images)).AsCollection);
        Assert.That(Run(inference, 1), Is.EqualTo(Run(training, 1)).AsCollection, "weights prepared for three images serve one");
    }

    [Test]
    public void NewWeights_ArePreparedAnew([Values("a", "b", "c")] string layer, [Values] bool byGradient)
    {
        using var network = Network();
        using var kept = network.Plan(Images, Height, Width);
        using var one = Devices.Cpu.Allocate([1f]);
        float[] before = Run(kept, Images);
        using (var training = network.Plan(Images, Height, Width, training: true))
        {
            foreach (var p in network.Parameters.Where(p => p.Layer == layer))
                if (byGradient)
                {
                    Devices.Cpu.Upload(TinyTrunk.Numbers(new Random(1), (int)p.Length), p.Gradient);
                    p.Descend(0.1f, 0.9f, 0, one);
                }
                else
                    p.Write(TinyTrunk.Numbers(new Random(1), (int)p.Length));
        }
        float[] after = Run(kept, Images);
        using var fresh = network.Plan(Images, Height, Width);
        Assert.That(after, Is.EqualTo(Run(fresh, Images)).AsCollection);
        Assert.That(after, Is.Not.EqualTo(before).AsCollection);
    }

    [Test]
    public void WeightsArePreparedOnce_AndTheMapBeforePooling_IsNeverWritten()
    {
        using var device = Device.Cpu(threads: 2);
        using var network = Engine.Models.Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Max }, 3, Trunk);
        var seen = new Names();
        device.Observer = seen;
        using var plan = network.Plan(Images, Height, Width);
        plan.Forward(Images);
        plan.Forward(Images);
        // Five convolutions; the first, which has too few channels for Winograd's method, takes its pooling by the direct one.
        Assert.That(seen.Prepared, Is.EqualTo(5));
        Assert.That(seen.All, Has.Exactly(2).EqualTo("convolution.forward-pooled").And.Exactly(2).EqualTo("convolution.forward-windowed").And.None.EqualTo("max-pooling.forward"));
    }

    private static float[] Run(NetworkPlan plan, int images)
    {
        Devices.Cpu.Upload(TinyTrunk.Numbers(new Random(2), (int)plan.Input.Length), plan.Input);
        return Devices.Cpu.Download(plan.Forward(images));
    }

    private sealed class Names : IOperationObserver
    {
        public List<string> All { get; } = [];

        public int Prepared { get; private set; }

        public void Ran(Operation operation, Variant variant, object problem, bool preparation, TimeSpan time)
        {
            if (preparation)
                Prepared++;
            else
                All.Add(operation.Name);
        }
    }
}
