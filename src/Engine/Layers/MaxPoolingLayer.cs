using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>Max pooling; windows that reach over the border are dropped (floor) or cut (ceil).</summary>
public sealed class MaxPoolingLayer(string name, int window, int stride, bool ceil = false) : Layer(name)
{
    public override MapShape Output(MapShape input)
    {
        if (input.Height < window || input.Width < window)
            throw new UserErrorException($"Images are too small: {this} gets a map of {input}, smaller than its window of {window}×{window}; use larger images.");
        var s = Shape(1, input);
        return new(s.P, s.Q, input.Channels);
    }

    public override long Workspace(Device device, int images, MapShape input, bool training) => 0;

    public override void Forward(in LayerPass pass) => MaxPooling.Forward(pass.Device, Shape(pass.Images, pass.Input), pass.X, pass.Y);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        if (dx.Length > 0)
            MaxPooling.Backward(pass.Device, Shape(pass.Images, pass.Input), pass.X, dy, dx);
    }

    private PoolingShape Shape(int images, MapShape input) => new(images, input.Height, input.Width, input.Channels, window, stride, ceil ? 1 : 0);
}
