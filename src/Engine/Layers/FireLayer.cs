using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// SqueezeNet's fire module (1602.07360): a 1×1 convolution to few channels, then 1×1 and 3×3 convolutions of those, which write
/// their halves of the output's channels. ReLU follows each.
/// </summary>
public sealed class FireLayer : Layer
{
    private readonly int squeezed, each;
    private readonly bool relu;
    private readonly ConvolutionLayer squeeze, one, three;

    /// <param name="ic">Channels of the input.</param>
    /// <param name="squeezed">Channels between.</param>
    /// <param name="each">Channels of each half of the output.</param>
    /// <param name="relu">Whether the output goes through ReLU.</param>
    public FireLayer(Device device, string name, int ic, int squeezed, int each, bool relu = true, string? alias = null)
        : base(name, alias)
    {
        (this.squeezed, this.each, this.relu) = (squeezed, each, relu);
        squeeze = new(device, name + ".squeeze", ic, squeezed, 1, owner: name);
        one = new(device, name + ".expand1x1", squeezed, each, 1, relu: relu, owner: name, beside: each);
        three = new(device, name + ".expand3x3", squeezed, each, 3, padding: 1, relu: relu, owner: name, beside: each);
        Parameters = [.. squeeze.Parameters, .. one.Parameters, .. three.Parameters];
    }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override bool KeepsInput => true;

    /// <summary>Its sign is ReLU's mask.</summary>
    public override bool KeepsOutput => relu;

    public override MapShape Output(MapShape input) => squeeze.Output(input) with { Channels = 2 * each };

    /// <summary>The squeezed map.</summary>
    public override long Kept(int images, MapShape input) => Squeezed(images, input);

    public override long ForwardWorkspace(Device device, int images, MapShape input)
    {
        var between = Between(input);
        return Math.Max(
            squeeze.ForwardWorkspace(device, images, input),
            Math.Max(one.ForwardWorkspace(device, images, between), three.ForwardWorkspace(device, images, between)));
    }

    /// <summary>Both convolutions' gradients of the squeezed map, then what the convolutions need.</summary>
    public override long BackwardWorkspace(Device device, int images, MapShape input, bool data)
    {
        var between = Between(input);
        return 2 * Squeezed(images, input) + Math.Max(
            squeeze.BackwardWorkspace(device, images, input, data),
            Math.Max(one.BackwardWorkspace(device, images, between, data: true), three.BackwardWorkspace(device, images, between, data: true)));
    }

    /// <summary>The squeezing convolution's, then the others'.</summary>
    public override long Prepared(Device device, int images, MapShape input)
    {
        var between = Between(input);
        return squeeze.Prepared(device, images, input) + one.Prepared(device, images, between) + three.Prepared(device, images, between);
    }

    public override void Prepare(in LayerPass pass)
    {
        var (first, second, third) = PreparedParts(pass);
        squeeze.Prepare(pass with { Prepared = first });
        one.Prepare(pass with { Input = Between(pass.Input), Prepared = second });
        three.Prepare(pass with { Input = Between(pass.Input), Prepared = third });
    }

    public override void Forward(in LayerPass pass)
    {
        var (first, second, third) = PreparedParts(pass);
        squeeze.Forward(pass with { Y = pass.Kept, Prepared = first });
        var inner = pass with { Input = Between(pass.Input), X = pass.Kept };
        one.Forward(inner with { Prepared = second });
        three.Forward(inner with { Y = SecondHalf(pass.Y), Prepared = third });
    }

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        long length = Squeezed(pass.Images, pass.Input);
        ArrayView<float> ds = pass.Workspace.SubView(0, length), dsAgain = pass.Workspace.SubView(length, length);
        // A view may not begin behind the last number, even if it is empty.
        var workspace = pass.Workspace.Length > 2 * length ? pass.Workspace.SubView(2 * length, pass.Workspace.Length - 2 * length) : default;
        var inner = pass with { Input = Between(pass.Input), X = pass.Kept, Workspace = workspace };
        one.Backward(inner, dy, ds);
        three.Backward(inner with { Y = SecondHalf(pass.Y) }, SecondHalf(dy), dsAgain);
        Addition.Accumulate(pass.Device, new(checked((int)length)), ds, dsAgain);
        squeeze.Backward(pass with { Y = pass.Kept, Workspace = workspace }, ds, dx);
    }

    private (ArrayView<float> Squeeze, ArrayView<float> One, ArrayView<float> Three) PreparedParts(in LayerPass pass)
    {
        long first = squeeze.Prepared(pass.Device, pass.Images, pass.Input), second = one.Prepared(pass.Device, pass.Images, Between(pass.Input));
        long all = pass.Prepared.Length;
        // A device that prepares nothing has no view to cut.
        return all == 0 ? default : (pass.Prepared.SubView(0, first), pass.Prepared.SubView(first, second), pass.Prepared.SubView(first + second, all - first - second));
    }

    public override string Export(OnnxGraph graph, string x)
    {
        string squeezed = squeeze.Export(graph, x);
        return graph.Add("Concat", [one.Export(graph, squeezed), three.Export(graph, squeezed)], ("axis", 1L));
    }

    private MapShape Between(MapShape input) => input with { Channels = squeezed };

    private long Squeezed(int images, MapShape input) => (long)images * input.Pixels * squeezed;

    /// <summary>A joined map from its first pixel's second half on.</summary>
    private ArrayView<float> SecondHalf(ArrayView<float> joined) => joined.Length == 0 ? joined : joined.SubView(each, joined.Length - each);
}
