using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// A network's first convolution where a plan takes 8-bit pixels and the device has kernels that read them: the images in fp32 are never written. It has the convolution's parameters, and
/// its numbers bit for bit.
/// </summary>
internal sealed class PixelConvolutionLayer(ConvolutionLayer convolution, PixelNumbers numbers) : Layer(convolution.Name, convolution.Alias)
{
    public override IReadOnlyList<Parameter> Parameters => convolution.Parameters;

    public override bool KeepsInput => true;

    public override bool KeepsOutput => convolution.KeepsOutput;

    public override MapShape Output(MapShape input) => convolution.Output(input);

    public override bool MakesBf16(Device device, MapShape input, bool learns) => Convolution.MakesBf16OfPixels(device, Shape(1, new(input, YBf16: true)), learns);

    public override long Prepared(Device device, int images, LayerMaps maps) => Convolution.ForwardPixelsOperation.Prepared(device, Shape(images, maps));

    public override string PreparedLayout(Device device, int images, LayerMaps maps) => Convolution.ForwardPixelsOperation.Choose(device, Shape(images, maps)).Name;

    public override void Prepare(in LayerPass pass)
        => Convolution.ForwardPixelsOperation.Prepare(pass.Device, Shape(pass.Images, pass.Maps), [default, convolution.Weight.Value, default, default], pass.Prepared);

    public override long ForwardWorkspace(Device device, int images, LayerMaps maps) => Convolution.ForwardPixelsOperation.PreparedWorkspace(device, Shape(images, maps));

    public override long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data) => Convolution.BackwardWeightsPixelsOperation.Workspace(device, BackwardShape(images, maps));

    public override void Forward(in LayerPass pass)
        => Convolution.ForwardPixelsOperation.RunPrepared(
            pass.Device, Shape(pass.Images, pass.Maps), [pass.X, convolution.WeightOf(pass), convolution.Bias.Value, pass.Y], pass.Prepared, pass.Workspace);

    internal override void ReleaseParameters(in LayerPass pass) => convolution.ReleaseWeight(pass.Device, Convolution.ForwardPixelsOperation, Shape(pass.Images, pass.Maps));

    internal override ConvolutionBand? Bands(Device device, MapShape input)
        => ConvolutionLayer.BandsBy(device, ConvolutionBand.Whole(convolution.Shape(1, input)) with { FromPixels = 1, Numbers = numbers }, PreparedLayout(device, 1, input));

    internal override ConvolutionBandStep Step(in LayerPass pass, in ConvolutionBand band, int after) => convolution.Step(pass, band, after);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        convolution.MaskGradient(pass, dy);
        Convolution.BackwardWeightsPixelsOperation.Run(
            pass.Device, BackwardShape(pass.Images, pass.Maps), [pass.X, pass.Y, dy, convolution.Weight.Gradient, convolution.Bias.Gradient], pass.Workspace);
    }

    public override string Export(OnnxGraph graph, string x) => convolution.Export(graph, x);

    private PixelConvolutionShape Shape(int images, LayerMaps maps) => new(convolution.Shape(images, maps), numbers);

    private PixelConvolutionShape BackwardShape(int images, LayerMaps maps) => new(convolution.BackwardShape(images, maps), numbers);
}
