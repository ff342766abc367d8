using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>Convolution with bias, and ReLU where asked for.</summary>
public sealed class ConvolutionLayer : Layer
{
    private readonly int ic, oc, window, stride, padding, groups, beside;
    private readonly bool relu;

    /// <param name="ic">Channels of the input.</param>
    /// <param name="oc">Channels of the output.</param>
    /// <param name="window">Rows and columns of the kernel.</param>
    /// <param name="padding">Zeros around the map, on every side.</param>
    /// <param name="owner">Name of the layer of the network that this one is a part of; itself without it.</param>
    /// <param name="beside">Channels of other layers in the joined map that its output is a part of.</param>
    public ConvolutionLayer(
        Device device, string name, int ic, int oc, int window, int stride = 1, int padding = 0, int groups = 1, bool relu = true, string? alias = null,
        string? owner = null, int beside = 0)
        : base(name, alias)
    {
        (this.ic, this.oc, this.window, this.stride, this.padding, this.groups, this.relu, this.beside) = (ic, oc, window, stride, padding, groups, relu, beside);
        Weight = Parameter.Kernel(device, name + ".weight", owner ?? name, oc, ic / groups, window, window);
        Bias = Parameter.Plain(device, name + ".bias", owner ?? name, oc);
        Parameters = [Weight, Bias];
    }

    /// <summary>w, in files [Oc, Ic/groups, window, window].</summary>
    public Parameter Weight { get; }

    /// <summary>b [Oc]</summary>
    public Parameter Bias { get; }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override bool KeepsInput => true;

    /// <summary>Its sign is ReLU's mask.</summary>
    public override bool KeepsOutput => relu;

    public override (int Window, int Stride) Field => (window, stride);

    public override MapShape Output(MapShape input)
    {
        if (input.Channels != ic)
            throw new ArgumentException($"{this} takes {ic} channels, not {input.Channels}.");
        if (input.Height + 2 * padding < window || input.Width + 2 * padding < window)
            throw new UserErrorException($"Images are too small: {this} gets a map of {input}, smaller than its window of {window}×{window}; use larger images.");
        var s = Shape(1, input);
        return new(s.P, s.Q, oc);
    }

    public override bool TakesBf16(Device device, MapShape input, bool learns) => Convolution.TakesMaps(device, Shape(1, new(input, XBf16: true)), learns);

    public override bool MakesBf16(Device device, MapShape input, bool learns) => Convolution.TakesMaps(device, Shape(1, new(input, YBf16: true)), learns);

    public override long ForwardWorkspace(Device device, int images, LayerMaps maps) => Convolution.ForwardOperation.PreparedWorkspace(device, Shape(images, maps));

    public override long Prepared(Device device, int images, LayerMaps maps) => Convolution.ForwardOperation.Prepared(device, Shape(images, maps));

    public override string PreparedLayout(Device device, int images, LayerMaps maps) => Convolution.ForwardOperation.Choose(device, Shape(images, maps)).Name;

    public override bool KeepsPrepared(Device device, int images, LayerMaps maps) => Convolution.PreparesForBothWays(device, Shape(images, maps));

    public override void Prepare(in LayerPass pass)
        => Convolution.ForwardOperation.Prepare(pass.Device, Shape(pass.Images, pass.Maps), [default, Weight.Value, default, default], pass.Prepared);

    public override long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data)
    {
        var s = BackwardShape(images, maps);
        long gradient = data ? KeepsPrepared(device, images, maps) ? Convolution.BackwardDataOperation.PreparedWorkspace(device, s) : Convolution.BackwardDataOperation.Workspace(device, s) : 0;
        return Math.Max(Convolution.BackwardWeightsOperation.Workspace(device, s), gradient);
    }

    public override void Forward(in LayerPass pass)
        => Convolution.ForwardOperation.RunPrepared(
            pass.Device, Shape(pass.Images, pass.Maps), [pass.X, WeightOf(pass), Bias.Value, pass.Y], pass.Prepared, pass.Workspace);

    /// <summary>Of a forward pass, to which it may be of no matter.</summary>
    internal ArrayView<float> WeightOf(in LayerPass pass) => pass.Prepared.Length > 0 ? Weight.Kept : Weight.Value;

    internal override void ReleaseParameters(in LayerPass pass) => ReleaseWeight(pass.Device, Convolution.ForwardOperation, Shape(pass.Images, pass.Maps));

    /// <summary>Gives the weight's memory back where what an operation prepares stands for it.</summary>
    internal void ReleaseWeight<TProblem>(Device device, Operation<TProblem> operation, in TProblem problem)
        where TProblem : struct
    {
        if (operation.Replaced(device, problem) == 1)
            Weight.Release();
    }

    internal override ConvolutionBand? Bands(Device device, MapShape input) => BandsBy(device, ConvolutionBand.Whole(Shape(1, input)), PreparedLayout(device, 1, input));

    /// <summary>Bands of a map, where they are computed by the variant that computes the whole.</summary>
    /// <param name="variant">Its name.</param>
    internal static ConvolutionBand? BandsBy(Device device, in ConvolutionBand whole, string variant)
        => device.Kind == DeviceKind.Cpu && Convolution.ForwardBandOperation.Check(whole) is null && Convolution.ForwardBandOperation.Choose(device, whole) is { Kind: VariantKind.Host } found && found.Name == variant ? whole : null;

    internal override ConvolutionBandStep Step(in LayerPass pass, in ConvolutionBand band, int after) => new(band, after, pass.X, Bias.Value, pass.Y, pass.Prepared, pass.Workspace);

    /// <summary>It and the pooling behind it in one, or null where this device has no kernel for that.</summary>
    internal Layer? With(MaxPoolingLayer pooling, Device device, MapShape input)
    {
        if (pooling.IsHalving && Convolution.FusesPooling(device, Shape(1, input)))
            return new PooledConvolutionLayer<ConvolutionShape>(this, pooling, Convolution.ForwardPooledOperation, Shape);
        return Convolution.FusesWindows(device, pooling.Behind(Shape(1, input)))
            ? new PooledConvolutionLayer<WindowedConvolutionShape>(this, pooling, Convolution.ForwardWindowedOperation, (images, map) => pooling.Behind(Shape(images, map)))
            : null;
    }

    /// <summary>The same from 8-bit pixels, with the pooling behind it where there is one to join, or null where this device has no kernel for that.</summary>
    /// <param name="learns">Whether there is a way back through it.</param>
    internal Layer? FromPixels(PixelNumbers numbers, MaxPoolingLayer? pooling, Device device, MapShape input, bool learns)
    {
        if (pooling is null)
            return Convolution.FusesPixels(device, new(Shape(1, input), numbers), learns) ? new PixelConvolutionLayer(this, numbers) : null;
        return Convolution.FusesPixels(device, new(pooling.Behind(Shape(1, input)), numbers))
            ? new PooledConvolutionLayer<PixelWindowedShape>(this, pooling, Convolution.ForwardWindowedPixelsOperation, (images, map) => new(pooling.Behind(Shape(images, map)), numbers))
            : null;
    }

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        var s = BackwardShape(pass.Images, pass.Maps);
        MaskGradient(pass, dy);
        Convolution.BackwardWeights(pass.Device, s, pass.X, pass.Y, dy, Weight.Gradient, Bias.Gradient, pass.Workspace);
        if (dx.Length > 0)
            Convolution.BackwardDataOperation.RunPrepared(pass.Device, s, [Weight.Value, pass.Y, dy, dx], pass.Prepared, pass.Workspace);
    }

    /// <summary>The gradient as <see cref="BackwardShape"/> has it.</summary>
    internal void MaskGradient(in LayerPass pass, ArrayView<float> dy)
    {
        var s = BackwardShape(pass.Images, pass.Maps);
        if (s.Relu == 0 && relu)
            ReluMask.Run(pass.Device, new(s.B * s.P * s.Q, oc), pass.Y, dy);
    }

    /// <summary>Where gradients are bf16 they go through ReLU's mask before, once for both products; in fp32 each product masks what it reads.</summary>
    internal ConvolutionShape BackwardShape(int images, LayerMaps maps)
    {
        var s = Shape(images, maps);
        return maps.YBf16 ? s with { Relu = 0 } : s;
    }

    public override string Export(OnnxGraph graph, string x)
    {
        string w = graph.Constant(Weight.Read(), [.. Weight.FileShape]), b = graph.Constant(Bias.Read(), oc);
        long side = window, border = padding;
        string y = graph.Add(
            "Conv", [x, w, b], ("kernel_shape", new[] { side, side }), ("strides", new long[] { stride, stride }), ("pads", new[] { border, border, border, border }), ("group", (long)groups));
        return relu ? graph.Add("Relu", [y]) : y;
    }

    internal ConvolutionShape Shape(int images, LayerMaps maps)
        => new(
            images, maps.Input.Height, maps.Input.Width, ic, oc, window, window, stride, padding, groups, relu ? 1 : 0,
            Beside: beside, XBf16: maps.XBf16 ? 1 : 0, YBf16: maps.YBf16 ? 1 : 0);
}
