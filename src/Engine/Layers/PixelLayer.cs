using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>From 8-bit pixels to the network's numbers: before the first layer of a plan that takes pixels, where the device has no kernel for the two in one.</summary>
internal sealed class PixelLayer(PixelNumbers numbers) : Layer("pixels")
{
    public override bool KeepsInput => false;

    public override bool KeepsOutput => false;

    public override MapShape Output(MapShape input) => input;

    public override void Forward(in LayerPass pass) => Pixels.Run(pass.Device, new(pass.Images, pass.Input.Height, pass.Input.Width, numbers), pass.X, pass.Y);

    public override string Export(OnnxGraph graph, string x) => throw new InvalidOperationException($"{this} is a plan's and no layer of a network.");

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx) => throw new InvalidOperationException($"{this} has nothing to learn.");
}
