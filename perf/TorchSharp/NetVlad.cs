using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>NetVLAD (1511.07247) as two matrix products: Σ a x̂ − (Σ a) c, each cluster and then all of it brought to unit length.</summary>
internal sealed class NetVlad : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly Parameter centroids;

    public NetVlad(int clusters, int channels)
        : base("pool")
    {
        conv = Conv2d(channels, clusters, 1, bias: false);
        centroids = Parameter(zeros(clusters, channels));
        RegisterComponents();
    }

    public IReadOnlyList<Parameter> InOrder => [conv.weight, centroids];

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = functional.normalize(x, 2, 1);
        var a = conv.forward(x).flatten(2).softmax(1);
        var v = a.bmm(x.flatten(2).transpose(1, 2)) - a.sum(2, keepdim: true) * centroids;
        return functional.normalize(functional.normalize(v, 2, 2).flatten(1), 2, 1).MoveToOuterDisposeScope();
    }
}
