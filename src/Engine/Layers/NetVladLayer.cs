using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>NetVLAD pooling (1511.07247, section 3.1): K·D numbers, cluster by cluster. V2 has a learnt bias in its assignment, V1 none.</summary>
public sealed class NetVladLayer : Layer
{
    private readonly int clusters, d;
    private readonly bool softFloor;

    /// <param name="clusters">K</param>
    /// <param name="d">Channels of the map.</param>
    /// <param name="hasBias">V2.</param>
    /// <param name="softFloor">Norms are √(‖v‖² + 1e-12), not max(‖v‖, 1e-12).</param>
    public NetVladLayer(Device device, int clusters, int d, bool hasBias, bool softFloor)
        : base("pool")
    {
        (this.clusters, this.d, this.softFloor) = (clusters, d, softFloor);
        // A 1×1 convolution in the files of PyTorch's ports.
        Weight = Parameter.Plain(device, "pool.conv.weight", Name, clusters, d, 1, 1);
        Bias = hasBias ? Parameter.Plain(device, "pool.conv.bias", Name, clusters) : null;
        Centroids = Parameter.Plain(device, "pool.centroids", Name, clusters, d);
        Parameters = Bias is null ? [Weight, Centroids] : [Weight, Bias, Centroids];
    }

    /// <summary>w [K, D]</summary>
    public Parameter Weight { get; }

    /// <summary>b [K], or null for V1.</summary>
    public Parameter? Bias { get; }

    /// <summary>c [K, D]</summary>
    public Parameter Centroids { get; }

    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>All that the way back needs: the assignment is computed again.</summary>
    public override bool KeepsInput => true;

    public override bool KeepsOutput => false;

    /// <summary>Sets all of it from centres and sharpness: w = α·ĉ (V1), or w = 2αc, b = −α‖c‖² (V2).</summary>
    /// <param name="centres">c [K, D]</param>
    /// <param name="alpha">α, finite and above 0.</param>
    public void Set(ReadOnlySpan<float> centres, float alpha)
    {
        if (centres.Length != clusters * d)
            throw new ArgumentException($"{clusters} centres of {d} channels are {clusters * d} numbers, not {centres.Length}.");
        if (!float.IsFinite(alpha) || alpha <= 0)
            throw new ArgumentException($"α must be finite and above 0, not {alpha}.");
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

    public override MapShape Output(MapShape input)
        => input.Channels == d ? new(1, 1, clusters * d) : throw new ArgumentException($"{this} takes {d} channels, not {input.Channels}.");

    public override bool TakesBf16(Device device, MapShape input, bool learns) => NetVlad.TakesMap(device, Shape(1, new(input, XBf16: true)), learns);

    public override long ForwardWorkspace(Device device, int images, LayerMaps maps) => NetVlad.ForwardOperation.Workspace(device, Shape(images, maps));

    public override long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data)
        => NetVlad.BackwardOperation.Workspace(device, Shape(images, maps) with { SkipData = data ? 0 : 1 });

    public override void Forward(in LayerPass pass)
        => NetVlad.Forward(pass.Device, Shape(pass.Images, pass.Maps), pass.X, Weight.Value, Bias?.Value ?? default, Centroids.Value, pass.Y, pass.Workspace);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
        => NetVlad.Backward(
            pass.Device, Shape(pass.Images, pass.Maps) with { SkipData = dx.Length == 0 ? 1 : 0 }, pass.X, Weight.Value, Bias?.Value ?? default, Centroids.Value, dy, dx,
            Weight.Gradient, Bias?.Gradient ?? default, Centroids.Gradient, pass.Workspace);

    /// <summary>Σ a_ik x̂_i − (Σ a_ik) c_k: one product, and no residual for each pair.</summary>
    public override string Export(OnnxGraph graph, string x)
    {
        x = graph.Normalised(x, 1, softFloor, L2Normalization.Floor);
        string w = graph.Constant(Weight.Read(), clusters, d, 1, 1);
        string logits = graph.Add("Conv", Bias is null ? [x, w] : [x, w, graph.Constant(Bias.Read(), clusters)], ("kernel_shape", new[] { 1L, 1L }));
        string assignment = graph.Add("Softmax", [graph.Add("Reshape", [logits, graph.Integers(0, clusters, -1)])], ("axis", 1L));
        string rows = graph.Add("Transpose", [graph.Add("Reshape", [x, graph.Integers(0, d, -1)])], ("perm", new[] { 0L, 2L, 1L }));
        string mass = graph.Add("ReduceSum", [assignment, graph.Integers(2)], ("keepdims", 1L));
        string v = graph.Add("Sub", [graph.Add("MatMul", [assignment, rows]), graph.Add("Mul", [mass, graph.Constant(Centroids.Read(), 1, clusters, d)])]);
        v = graph.Normalised(v, 2, softFloor, L2Normalization.Floor);
        return graph.Normalised(graph.Add("Reshape", [v, graph.Integers(0, (long)clusters * d)]), 1, softFloor, L2Normalization.Floor);
    }

    private NetVladShape Shape(int images, LayerMaps maps) => new(images, maps.Input.Pixels, d, clusters, Bias is null ? 0 : 1, softFloor ? 1 : 0, XBf16: maps.XBf16 ? 1 : 0);
}
