using ILGPU;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

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
    [TestCase(nameof(Mixed), true, "0 1 1 1 0 0 0 0", TestName = "Groups have fp32 around them; local response takes and makes bf16")]
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

    [Test]
    public void Descriptors_AreThoseOfMapsInFp32_BitForBit()
    {
        using var network = Network(Device, Pooling);
        using var plan = network.Plan(Images, Height, Width);
        Device.Upload(Numbers(), plan.Input);
        float[] descriptors = Device.Download(plan.Forward(Images));
        using var alone = new OneByOne(network);
        Assert.That(descriptors, Is.EqualTo(alone.Forward(Numbers())).AsCollection);
        Assert.That(Device.Download(plan.Features(Images)), Is.EqualTo(alone.Map(network.Layers.Count - 1)).AsCollection, "the last map is fp32");
        Assert.That(Device.Download(plan.Forward(Images)), Is.EqualTo(descriptors).AsCollection);
    }

    /// <summary>
    /// Local response does not commute with rounding: what it takes and what it makes are each 2⁻⁹ off at most, and the products behind it round as they do without bf16 maps. So descriptors, sums of both signs, lie within
    /// 2⁻⁷ of those of fp32 maps.
    /// </summary>
    [Test]
    public void LocalResponse_TakesAndMakesBf16()
    {
        using var network = Network(Device, Mixed);
        using var plan = network.Plan(Images, Height, Width);
        Device.Upload(Numbers(), plan.Input);
        using var alone = new OneByOne(network);
        float[] expected = alone.Forward(Numbers());
        Assert.That(DeviceCheck.RelativeError(Device.Download(plan.Forward(Images)), expected), Is.LessThan(1 / 128.0).And.GreaterThan(1e-5));
    }

    /// <summary>
    /// NetVLAD reads its map in bf16, and writes the gradient of it so: what it computes of that is what it computes of the same numbers in fp32, with tf32 products which hold them all.
    /// </summary>
    [TestCase(false)]
    [TestCase(true)]
    public void NetVlad_ReadsItsMapInBf16(bool training)
    {
        using var network = TinyTrunk.Network(Device, PoolingKind.NetVlad, trunk: TinyTrunk.Convolutions);
        Assert.That(PlanLayout.Of(network, PlanPart.Whole, Images, Height, Width, 0, training).Bf16, Is.EqualTo(training ? [false, true, true, true, true, false] : new[] { false, true, true, true, false }));
        using var plan = network.Plan(Images, Height, Width, training: training);
        Device.Upload(Numbers(), plan.Input);
        float[] descriptors = Device.Download(plan.Forward(Images));
        Assert.That(plan.HasBf16Features);
        var map = new float[Images * plan.FeatureShape.Length];
        plan.ReadFeatures(Images, map);
        float[] rounded = [.. map];
        Rounding.To(Precision.Bf16, rounded);
        Assert.That(map, Is.EqualTo(rounded).AsCollection, "as many bits as bf16 has");

        var layer = (NetVladLayer)network.Pooling;
        using var x = Device.Allocate(map);
        using var y = Device.Allocate(descriptors.Length);
        using var workspace = Device.Allocate(Math.Max(layer.ForwardWorkspace(Device, Images, plan.FeatureShape), layer.BackwardWorkspace(Device, Images, plan.FeatureShape, data: true)));
        var pass = new LayerPass(Device, Images, plan.FeatureShape, x, y, default, workspace);
        layer.Forward(pass);
        // Norms add up two channels a thread, in another order.
        Assert.That(DeviceCheck.RelativeError(descriptors, Device.Download(y)), Is.LessThan(5e-6));
        if (!training)
            return;
        float[] dDescriptors = TinyTrunk.Numbers(new Random(8), descriptors.Length);
        using var dy = Device.Allocate(dDescriptors);
        plan.Backward(Images, dy);
        float[] centroids = layer.Centroids.ReadGradient(), weight = layer.Weight.ReadGradient();
        using var dx = Device.Allocate(map.Length);
        layer.Backward(pass, dy, dx);
        Assert.That(DeviceCheck.RelativeError(centroids, layer.Centroids.ReadGradient()), Is.LessThan(5e-5));
        Assert.That(DeviceCheck.RelativeError(weight, layer.Weight.ReadGradient()), Is.LessThan(5e-5));
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
