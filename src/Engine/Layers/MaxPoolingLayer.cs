using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>Max pooling without padding.</summary>
/// <param name="ceil">Windows that reach over the border are cut; otherwise they are dropped.</param>
public sealed class MaxPoolingLayer(string name, int window, int stride, bool ceil = false, string? alias = null) : Layer(name, alias)
{
    /// <summary>Windows of 2×2 beside each other, an odd row or column dropped.</summary>
    internal bool IsHalving => window == 2 && stride == 2 && !ceil;

    /// <summary>The way back finds the maxima again.</summary>
    public override bool KeepsInput => true;

    public override bool KeepsOutput => false;

    public override (int Window, int Stride) Field => (window, stride);

    public override MapShape Output(MapShape input)
    {
        if (input.Height < window || input.Width < window)
            throw new UserErrorException($"Images are too small: {this} gets a map of {input}, smaller than its window of {window}×{window}; use larger images.");
        var s = Shape(1, input);
        return new(s.P, s.Q, input.Channels);
    }

    public override bool TakesBf16(Device device, MapShape input, bool learns) => Takes(device, new(input, XBf16: true));

    public override bool MakesBf16(Device device, MapShape input, bool learns) => Takes(device, new(input, YBf16: true));

    public override void Forward(in LayerPass pass) => MaxPooling.Forward(pass.Device, Shape(pass.Images, pass.Maps), pass.X, pass.Y);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        if (dx.Length > 0)
            MaxPooling.Backward(pass.Device, Shape(pass.Images, pass.Maps), pass.X, dy, dx);
    }

    public override string Export(OnnxGraph graph, string x)
        => graph.Add("MaxPool", [x], ("kernel_shape", new long[] { window, window }), ("strides", new long[] { stride, stride }), ("ceil_mode", ceil ? 1L : 0L));

    /// <summary>Itself behind a convolution.</summary>
    internal WindowedConvolutionShape Behind(in ConvolutionShape convolution) => new(convolution, window, stride, ceil ? 1 : 0);

    private bool Takes(Device device, LayerMaps maps) => MaxPooling.ForwardOperation.Takes(device, Shape(1, maps)) && MaxPooling.BackwardOperation.Takes(device, Shape(1, maps));

    private PoolingShape Shape(int images, LayerMaps maps)
        => new(images, maps.Input.Height, maps.Input.Width, maps.Input.Channels, window, stride, ceil ? 1 : 0, maps.XBf16 ? 1 : 0, maps.YBf16 ? 1 : 0);
}
