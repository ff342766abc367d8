using ILGPU;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>
/// Maps in bf16 between layers hold what the next product would round in any case. So a plan must give the numbers of the same layers one by one with maps in fp32, bit for bit, all on the
/// emitted PTX.
/// </summary>
[TestFixture]
public sealed class Bf16Maps
{
    private const int Height = 13, Width = 15, Images = 2;

    private static readonly PtxLauncher Launcher = new();
    private static readonly Device Device = Device.Simulation(Precision.Bf16, Launcher);

    private static Backbone Trunk(Func<Device, IReadOnlyList<Layer>> layers) => new("tiny", (device, _) => layers(device), CeilPooling: false, Preprocessing.City);

    private static readonly Backbone
        Pooling = Trunk(d =>
        [
            new ConvolutionLayer(d, "a", 3, 16, 3, padding: 1),
            new MaxPoolingLayer("half", 2, 2),
            new ConvolutionLayer(d, "b", 16, 20, 3, padding: 1),
            new MaxPoolingLayer("quarter", 3, 2),
            new FireLayer(d, "c", 20, 12, 8),
            new ConvolutionLayer(d, "d", 16, 10, 1, relu: false),
        ]),
        Convolutions = Trunk(d =>
        [
            new ConvolutionLayer(d, "a", 3, 12, 3, padding: 1),
            new ConvolutionLayer(d, "b", 12, 9, 3, padding: 1),
            new ConvolutionLayer(d, "c", 9, 10, 1, relu: false),
        ]),
        Mixed = Trunk(d =>
        [
            new ConvolutionLayer(d, "a", 3, 8, 3, padding: 1),
            new LocalResponseLayer("norm", 5, 0.02f, 0.75f, 1),
            new MaxPoolingLayer("half", 2, 2),
            new ConvolutionLayer(d, "b", 8, 8, 3, padding: 1),
            new ConvolutionLayer(d, "c", 8, 8, 3, padding: 1, groups: 2),
            new ConvolutionLayer(d, "d", 8, 10, 1, relu: false),
        ]);

    [OneTimeTearDown]
    public void Close()
    {
        Device.Dispose();
        Launcher.Dispose();
    }

    private static Network Network(Device device, Backbone trunk)
    {
        var network = Engine.Models.Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Average }, 3, trunk);
        var random = new Random(5);
        foreach (var p in network.Parameters.Where(p => p.FanIn == 0))
            p.Write(TinyTrunk.Numbers(random, (int)p.Length, 0.2f));
        return network;
    }

    /// <summary>The input, after each layer, the descriptor.</summary>
    [TestCase(nameof(Pooling), false, "0 1 1 1 1 0 0", TestName = "Without a way back the first pooling is the convolution's, and the fire module takes bf16")]
    [TestCase(nameof(Pooling), true, "0 1 1 1 0 0 0 0", TestName = "On a way back a fire module adds up gradients in fp32")]
    [TestCase(nameof(Convolutions), true, "0 1 1 0 0")]
    [TestCase(nameof(Mixed), true, "0 0 0 1 0 0 0 0", TestName = "Local response and groups have fp32 around them; a pooling takes one and makes the other")]
    public void WhichMaps(string trunk, bool training, string expected)
    {
        using var network = Network(Device, Named(trunk));
        var layout = PlanLayout.Of(network, PlanPart.Whole, Images, Height, Width, 0, training);
        Assert.That(string.Join(' ', layout.Bf16.Select(b => b ? 1 : 0)), Is.EqualTo(expected));
    }

    [TestCase(Precision.Fp32)]
    [TestCase(Precision.Tf32)]
    public void OtherPrecisions_HaveNone(Precision precision)
    {
        using var device = Device.Simulation(precision);
        foreach (var other in new[] { device, Devices.Cpu })
        {
            using var network = Network(other, Pooling);
            Assert.That(PlanLayout.Of(network, PlanPart.Whole, Images, Height, Width, 0, training: false).Bf16, Has.All.False);
        }
    }

    [TestCase(nameof(Pooling))]
    [TestCase(nameof(Mixed))]
    public void Descriptors_AreThoseOfMapsInFp32_BitForBit(string trunk)
    {
        using var network = Network(Device, Named(trunk));
        using var plan = network.Plan(Images, Height, Width);
        Device.Upload(Numbers(), plan.Input);
        float[] descriptors = Device.Download(plan.Forward(Images));
        using var alone = new OneByOne(network);
        Assert.That(descriptors, Is.EqualTo(alone.Forward(Numbers())).AsCollection);
        Assert.That(Device.Download(plan.Features(Images)), Is.EqualTo(alone.Map(network.Layers.Count - 1)).AsCollection, "the last map is fp32");
        Assert.That(Device.Download(plan.Forward(Images)), Is.EqualTo(descriptors).AsCollection);
    }

    /// <summary>
    /// Products of the way back round their gradients in any case too. The bias gradients alone add up what was rounded, where they added up what was not: each number at most 2⁻⁹ off.
    /// </summary>
    [Test]
    public void Gradients_AreThoseOfMapsInFp32()
    {
        using var network = Network(Device, Convolutions);
        using var plan = network.Plan(Images, Height, Width, training: true);
        float[] dDescriptors = TinyTrunk.Numbers(new Random(8), Images * network.PooledLength);
        using var dy = Device.Allocate(dDescriptors);
        using var one = Device.Allocate([1f]);
        Device.Upload(Numbers(), plan.Input);
        for (int turn = 0; turn < 2; turn++)
        {
            plan.Forward(Images);
            plan.Backward(Images, dy);
            var gradients = network.Parameters.ToDictionary(p => p.Name, p => p.ReadGradient());
            using var alone = new OneByOne(network);
            alone.Forward(Numbers());
            var sizes = alone.Backward(dDescriptors);
            foreach (var p in network.Parameters)
                if (p.FanIn > 0)
                    Assert.That(gradients[p.Name], Is.EqualTo(p.ReadGradient()).AsCollection, p.Name);
                else
                    for (int c = 0; c < p.Length; c++)
                        Assert.That(gradients[p.Name][c], Is.EqualTo(p.ReadGradient()[c]).Within(sizes[p.Name][c] * (1 / 512.0 + 1e-6)), $"{p.Name} {c}");
            // The second turn with other weights, whose copies in bf16 must be made anew.
            foreach (var p in network.Parameters)
                p.Descend(0.5f, 0, 0, one);
        }
    }

    [Test]
    public void NotANumberInTheLowerHalfOfAWord_IsFound()
    {
        using var rows = Device.Allocate(8);
        var finite = new FiniteCheck(Device);
        Device.Upload([BitConverter.Int32BitsToSingle(0x3F80_7F7F)], rows);
        Assert.That(finite.Holds(rows, bf16: true), Is.True);
        foreach (int bits in new[] { 0x3F80_7F80, 0x0000_FFC0, 0x7F80_0000 })
        {
            Device.Upload([BitConverter.Int32BitsToSingle(bits)], rows);
            Assert.That(finite.Holds(rows, bf16: true), Is.False, $"{bits:X8}");
        }
    }

    private static Backbone Named(string trunk) => trunk switch
    {
        nameof(Pooling) => Pooling,
        nameof(Mixed) => Mixed,
        _ => Convolutions,
    };

    private static float[] Numbers() => TinyTrunk.Numbers(new Random(2), Images * Height * Width * 3);

    /// <summary>A network's layers one after the other, with buffers and maps in fp32 of their own.</summary>
    private sealed class OneByOne : IDisposable
    {
        private readonly Network network;
        private readonly List<LayerPass> passes = [];
        private readonly List<DeviceBuffer> buffers = [];

        public OneByOne(Network network)
        {
            this.network = network;
            var shape = new MapShape(Height, Width, 3);
            var x = Buffer(Images * shape.Length);
            foreach (var layer in network.Layers)
            {
                var output = layer.Output(shape);
                var y = Buffer(Images * output.Length);
                long workspace = Math.Max(layer.ForwardWorkspace(Device, Images, shape), layer.BackwardWorkspace(Device, Images, shape, data: true));
                passes.Add(new(Device, Images, shape, x, y, Buffer(layer.Kept(Images, shape)), Buffer(workspace), Buffer(layer.Prepared(Device, Images, shape))));
                (shape, x) = (output, y);
            }
        }

        public float[] Map(int layer) => Device.Download(passes[layer].X);

        public float[] Forward(float[] images)
        {
            Device.Upload(images, passes[0].X);
            foreach (var (layer, pass) in network.Layers.Zip(passes))
            {
                if (pass.Prepared.Length > 0)
                    layer.Prepare(pass);
                layer.Forward(pass);
            }
            return Device.Download(passes[^1].Y);
        }

        /// <returns>Of each bias, Σ |g| of its channels.</returns>
        public Dictionary<string, double[]> Backward(float[] dDescriptors)
        {
            var sizes = new Dictionary<string, double[]>();
            var dy = Buffer(dDescriptors.Length);
            Device.Upload(dDescriptors, dy);
            for (int i = network.Layers.Count - 1; i >= 0; i--)
            {
                var dx = Buffer(passes[i].X.Length);
                network.Layers[i].Backward(passes[i], dy, dx);
                foreach (var bias in network.Layers[i].Parameters.Where(p => p.FanIn == 0))
                {
                    var sums = sizes[bias.Name] = new double[bias.Length];
                    foreach (var (g, at) in Device.Download(dy).Select((g, at) => (g, at)))
                        sums[at % sums.Length] += Math.Abs(g);
                }
                dy = dx;
            }
            return sizes;
        }

        private DeviceBuffer Buffer(long length)
        {
            buffers.Add(Device.Allocate(length));
            return buffers[^1];
        }

        public void Dispose()
        {
            foreach (var buffer in buffers)
                buffer.Dispose();
        }
    }
}
