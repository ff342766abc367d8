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

    /// <summary>Of the wider convolution.</summary>
    public override (int Window, int Stride) Field => three.Field;

    public override MapShape Output(MapShape input) => squeeze.Output(input) with { Channels = 2 * each };

    /// <summary>Without a way back alone: there both convolutions' gradients of the squeezed map are added up in fp32. Halves must be whole chunks.</summary>
    public override bool TakesBf16(Device device, MapShape input, bool learns) => !learns && HalvesAreBf16(device, input) && squeeze.TakesBf16(device, input, learns);

    /// <inheritdoc cref="TakesBf16"/>
    public override bool MakesBf16(Device device, MapShape input, bool learns) => !learns && HalvesAreBf16(device, input) && squeeze.MakesBf16(device, input, learns);

    private bool HalvesAreBf16(Device device, MapShape input) => each % 8 == 0 && one.MakesBf16(device, Between(input), false) && three.MakesBf16(device, Between(input), false);

    /// <summary>The squeezed map, in bf16 where the output is.</summary>
    public override long Kept(int images, LayerMaps maps) => Squeezed(images, maps);

    public override long ForwardWorkspace(Device device, int images, LayerMaps maps)
    {
        var between = Between(maps);
        return Math.Max(
            squeeze.ForwardWorkspace(device, images, maps),
            Math.Max(one.ForwardWorkspace(device, images, between), three.ForwardWorkspace(device, images, between)));
    }

    /// <summary>Both convolutions' gradients of the squeezed map, then what the convolutions need.</summary>
    public override long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data)
    {
        var between = Between(maps);
        return 2 * Squeezed(images, maps) + Math.Max(
            squeeze.BackwardWorkspace(device, images, maps, data),
            Math.Max(one.BackwardWorkspace(device, images, between, data: true), three.BackwardWorkspace(device, images, between, data: true)));
    }

    /// <summary>The squeezing convolution's, then the others'.</summary>
    public override long Prepared(Device device, int images, LayerMaps maps)
    {
        var between = Between(maps);
        return squeeze.Prepared(device, images, maps) + one.Prepared(device, images, between) + three.Prepared(device, images, between);
    }

    public override string PreparedLayout(Device device, int images, LayerMaps maps)
    {
        var between = Between(maps);
        return $"{squeeze.PreparedLayout(device, images, maps)}, {one.PreparedLayout(device, images, between)}, {three.PreparedLayout(device, images, between)}";
    }

    public override void Prepare(in LayerPass pass)
    {
        var (first, second, third) = PreparedParts(pass);
        squeeze.Prepare(pass with { Prepared = first });
        one.Prepare(pass with { Maps = Between(pass.Maps), Prepared = second });
        three.Prepare(pass with { Maps = Between(pass.Maps), Prepared = third });
    }

    internal override void ReleaseParameters(in LayerPass pass)
    {
        squeeze.ReleaseParameters(pass);
        one.ReleaseParameters(pass with { Maps = Between(pass.Maps) });
        three.ReleaseParameters(pass with { Maps = Between(pass.Maps) });
    }

    public override void Forward(in LayerPass pass)
    {
        var (first, second, third) = PreparedParts(pass);
        squeeze.Forward(pass with { Y = pass.Kept, Prepared = first });
        var inner = pass with { Maps = Between(pass.Maps), X = pass.Kept };
        one.Forward(inner with { Prepared = second });
        three.Forward(inner with { Y = SecondHalf(pass.Y, pass.Maps.YBf16), Prepared = third });
    }

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        long length = Squeezed(pass.Images, pass.Maps);
        ArrayView<float> ds = pass.Workspace.SubView(0, length), dsAgain = pass.Workspace.SubView(length, length);
        // A view may not begin behind the last number, even if it is empty.
        var workspace = pass.Workspace.Length > 2 * length ? pass.Workspace.SubView(2 * length, pass.Workspace.Length - 2 * length) : default;
        var inner = pass with { Maps = Between(pass.Maps), X = pass.Kept, Workspace = workspace };
        one.Backward(inner, dy, ds);
        three.Backward(inner with { Y = SecondHalf(pass.Y, bf16: false) }, SecondHalf(dy, bf16: false), dsAgain);
        Addition.Accumulate(pass.Device, new(checked((int)length)), ds, dsAgain);
        squeeze.Backward(pass with { Y = pass.Kept, Workspace = workspace }, ds, dx);
    }

    private (ArrayView<float> Squeeze, ArrayView<float> One, ArrayView<float> Three) PreparedParts(in LayerPass pass)
    {
        long first = squeeze.Prepared(pass.Device, pass.Images, pass.Maps), second = one.Prepared(pass.Device, pass.Images, Between(pass.Maps));
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

    private LayerMaps Between(LayerMaps maps) => LayerMaps.Alike(Between(maps.Input), maps.YBf16);

    /// <summary>Floats of the squeezed map.</summary>
    private long Squeezed(int images, LayerMaps maps) => images * Between(maps.Input).Floats(maps.YBf16);

    /// <summary>A joined map from its first pixel's second half on; in bf16 a float holds two numbers.</summary>
    private ArrayView<float> SecondHalf(ArrayView<float> joined, bool bf16)
    {
        int first = bf16 ? each / 2 : each;
        return joined.Length == 0 ? joined : joined.SubView(first, joined.Length - first);
    }
}
