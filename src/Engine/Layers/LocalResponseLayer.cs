using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>Local response normalisation over neighbouring channels, as in the first AlexNet: y = x / (k + α/n Σ x²)^β.</summary>
/// <param name="size">n, channels of a window.</param>
/// <param name="alphaOverN">α/n.</param>
public sealed class LocalResponseLayer(string name, int size, float alphaOverN, float beta, float k) : Layer(name)
{
    public override bool KeepsInput => true;

    public override bool KeepsOutput => false;

    public override MapShape Output(MapShape input) => input;

    public override bool TakesBf16(Device device, MapShape input, bool learns) => LocalResponse.TakesMaps(device, Shape(1, new(input, XBf16: true)));

    public override bool MakesBf16(Device device, MapShape input, bool learns) => LocalResponse.TakesMaps(device, Shape(1, new(input, YBf16: true)));

    public override void Forward(in LayerPass pass) => LocalResponse.Forward(pass.Device, Shape(pass.Images, pass.Maps), pass.X, pass.Y);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        if (dx.Length > 0)
            LocalResponse.Backward(pass.Device, Shape(pass.Images, pass.Maps), pass.X, dy, dx);
    }

    public override string Export(OnnxGraph graph, string x)
        => graph.Add("LRN", [x], ("size", (long)size), ("alpha", alphaOverN * size), ("beta", beta), ("bias", k));

    private LocalResponseShape Shape(int images, LayerMaps maps)
        => new(images * maps.Input.Pixels, maps.Input.Channels, size, alphaOverN, beta, k, maps.XBf16 ? 1 : 0, maps.YBf16 ? 1 : 0);
}
