using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>A trunk and NetVLAD, from pixels in 0…255 or from an inner layer's maps.</summary>
internal sealed class NetVladNetwork : Module<Tensor, Tensor>
{
    public const int Clusters = 64;

    private readonly Sequential features;
    private readonly NetVlad pool;
    private readonly List<Module<Tensor, Tensor>> layers;
    private readonly Tensor mean, scale;

    public NetVladNetwork(string backbone, string weights, Layout layout)
        : base(backbone)
    {
        var (named, channels) = Trunks.Named(backbone);
        layers = [.. named.Select(n => n.Layer)];
        features = Sequential(named);
        pool = new(Clusters, channels);
        // What the published weights take: SqueezeNet's come from Caffe's lineage.
        bool caffe = backbone == "squeezenet";
        mean = tensor(caffe ? new[] { 123.68f, 116.779f, 103.939f } : [0.485f * 255, 0.456f * 255, 0.406f * 255]).reshape(1, 3, 1, 1);
        scale = tensor(caffe ? new[] { 1f, 1f, 1f } : [1 / (0.229f * 255), 1 / (0.224f * 255), 1 / (0.225f * 255)]).reshape(1, 3, 1, 1);
        RegisterComponents();
        SafetensorsWeights.Load(this, weights);
        this.Lay(layout);
    }

    public Tensor Normalised(Tensor pixels) => (pixels - mean) * scale;

    /// <summary>Of VGG-16: parameters of layer <paramref name="first"/> and of all behind it, in the order of the file.</summary>
    public List<Parameter> From(int first) => [.. layers.Skip(first).OfType<Conv2d>().SelectMany(c => (Parameter[])[c.weight, c.bias!]), .. pool.InOrder];

    /// <summary>A stretch of the trunk's layers. What is between is given back as soon as libtorch needs it no more.</summary>
    public Tensor Trunk(Tensor x, int first, int end)
    {
        var given = x;
        for (int i = first; i < end; i++)
        {
            var next = layers[i].forward(x);
            if (!ReferenceEquals(x, given))
                x.Dispose();
            x = next;
        }
        return x;
    }

    public int LayerCount => layers.Count;

    public Tensor Pool(Tensor maps) => pool.forward(maps);

    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return Pool(Trunk(Normalised(pixels), 0, LayerCount)).MoveToOuterDisposeScope();
    }
}
