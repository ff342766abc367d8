using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// A convolution and the pooling behind it in one kernel, for passes that never go back: a plan puts it in the place of the two where the device has such a
/// kernel. It has the convolution's parameters, and the numbers of the two layers bit for bit.
/// </summary>
/// <param name="operation">Takes x, w, b and y.</param>
/// <param name="shape">Its problem for so many images of a map.</param>
internal sealed class PooledConvolutionLayer<TProblem>(ConvolutionLayer convolution, MaxPoolingLayer pooling, Operation<TProblem> operation, Func<int, LayerMaps, TProblem> shape)
    : Layer(convolution.Name, convolution.Alias)
    where TProblem : struct
{
    public override IReadOnlyList<Parameter> Parameters => convolution.Parameters;

    public override bool KeepsInput => false;

    public override bool KeepsOutput => false;

    public override MapShape Output(MapShape input) => pooling.Output(convolution.Output(input));

    public override bool TakesBf16(Device device, MapShape input, bool learns) => operation.Takes(device, shape(1, new(input, XBf16: true)));

    public override bool MakesBf16(Device device, MapShape input, bool learns) => operation.Takes(device, shape(1, new(input, YBf16: true)));

    public override long Prepared(Device device, int images, LayerMaps maps) => operation.Prepared(device, shape(images, maps));

    public override string PreparedLayout(Device device, int images, LayerMaps maps) => operation.Choose(device, shape(images, maps)).Name;

    public override void Prepare(in LayerPass pass)
        => operation.Prepare(pass.Device, shape(pass.Images, pass.Maps), [default, convolution.Weight.Value, default, default], pass.Prepared);

    public override long ForwardWorkspace(Device device, int images, LayerMaps maps)
        => operation.PreparedWorkspace(device, shape(images, maps));

    public override void Forward(in LayerPass pass)
        => operation.RunPrepared(
            pass.Device, shape(pass.Images, pass.Maps), [pass.X, convolution.WeightOf(pass), convolution.Bias.Value, pass.Y], pass.Prepared, pass.Workspace);

    internal override void ReleaseParameters(in LayerPass pass) => convolution.ReleaseWeight(pass.Device, operation, shape(pass.Images, pass.Maps));

    internal override ConvolutionBand? Bands(Device device, MapShape input)
        => shape(1, input) is ConvolutionShape halved ? ConvolutionLayer.BandsBy(device, ConvolutionBand.Whole(halved, pooled: 1), PreparedLayout(device, 1, input)) : null;

    internal override ConvolutionBandStep Step(in LayerPass pass, in ConvolutionBand band, int after) => convolution.Step(pass, band, after);

    public override string Export(OnnxGraph graph, string x) => pooling.Export(graph, convolution.Export(graph, x));

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
        => throw new InvalidOperationException($"{this} keeps nothing for the way back.");
}
