using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>NetVLAD pooling (1511.07247, section 3.1): K·D numbers, cluster by cluster. V2 has a learnt bias in its assignment, V1 none.</summary>
public sealed class NetVladLayer : Layer
{
    private readonly int clusters, d;
    private readonly bool softFloor;

    /// <param name="d">Channels of the map.</param>
    /// <param name="hasBias">V2.</param>
    public NetVladLayer(Device device, int clusters, int d, bool hasBias, bool softFloor)
        : base("pool")
    {
        (this.clusters, this.d, this.softFloor) = (clusters, d, softFloor);
        Weight = new(device, "pool.conv.weight", Name, clusters, d);
        Bias = hasBias ? new(device, "pool.conv.bias", Name, clusters) : null;
        Centroids = new(device, "pool.centroids", Name, clusters, d);
    }

    /// <summary>w [K, D]</summary>
    public Parameter Weight { get; }

    /// <summary>b [K], or null for V1.</summary>
    public Parameter? Bias { get; }

    /// <summary>c [K, D]</summary>
    public Parameter Centroids { get; }

    public override IReadOnlyList<Parameter> Parameters => Bias is null ? [Weight, Centroids] : [Weight, Bias, Centroids];

    /// <summary>Sets all three from centres and sharpness: w = α·ĉ (V1), or w = 2αc, b = −α‖c‖² (V2).</summary>
    public void Set(ReadOnlySpan<float> centres, float alpha)
    {
        var w = new float[clusters * d];
        var b = new float[clusters];
        for (int k = 0; k < clusters; k++)
        {
            var c = centres.Slice(k * d, d);
            double squared = 0;
            foreach (float x in c)
                squared += (double)x * x;
            double factor = Bias is null ? alpha / Math.Max(Math.Sqrt(squared), 1e-12) : 2.0 * alpha;
            for (int j = 0; j < d; j++)
                w[k * d + j] = (float)(factor * c[j]);
            b[k] = (float)(-alpha * squared);
        }
        Weight.Write(w);
        Bias?.Write(b);
        Centroids.Write(centres);
    }

    public override MapShape Output(MapShape input) => new(1, 1, clusters * d);

    public override long Workspace(Device device, int images, MapShape input, bool training)
    {
        var s = Shape(images, input);
        long forward = NetVlad.ForwardOperation.Workspace(device, s);
        return training
            ? Math.Max(forward, Math.Max(NetVlad.BackwardOperation.Workspace(device, s), NetVlad.BackwardOperation.Workspace(device, s with { SkipData = 1 })))
            : forward;
    }

    public override void Forward(in LayerPass pass)
        => NetVlad.Forward(pass.Device, Shape(pass.Images, pass.Input), pass.X, Weight.Value, Bias?.Value ?? default, Centroids.Value, pass.Y, pass.Workspace);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
        => NetVlad.Backward(
            pass.Device, Shape(pass.Images, pass.Input) with { SkipData = dx.Length == 0 ? 1 : 0 }, pass.X, Weight.Value, Bias?.Value ?? default, Centroids.Value, dy, dx,
            Weight.Gradient, Bias?.Gradient ?? default, Centroids.Gradient, pass.Workspace);

    private NetVladShape Shape(int images, MapShape input) => new(images, input.Pixels, d, clusters, Bias is null ? 0 : 1, softFloor ? 1 : 0);
}
