using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>Convolution with bias, and ReLU where asked for.</summary>
public sealed class ConvolutionLayer : Layer
{
    private readonly int ic, oc, window, stride, padding, groups;
    private readonly bool relu;

    public ConvolutionLayer(
        Device device, string name, int ic, int oc, int window, int stride = 1, int padding = 0, int groups = 1, bool relu = true, string? alias = null)
        : base(name, alias)
    {
        (this.ic, this.oc, this.window, this.stride, this.padding, this.groups, this.relu) = (ic, oc, window, stride, padding, groups, relu);
        Weight = new(device, name + ".weight", name, oc, ic / groups, window, window);
        Bias = new(device, name + ".bias", name, oc);
    }

    public Parameter Weight { get; }
    public Parameter Bias { get; }
    public override IReadOnlyList<Parameter> Parameters => [Weight, Bias];

    public override MapShape Output(MapShape input)
    {
        if (input.Height + 2 * padding < window || input.Width + 2 * padding < window)
            throw new UserErrorException($"Images are too small: {this} gets a map of {input}, smaller than its window of {window}×{window}; use larger images.");
        var s = Shape(1, input);
        return new(s.P, s.Q, oc);
    }

    public override long Workspace(Device device, int images, MapShape input, bool training)
    {
        var s = Shape(images, input);
        long forward = Convolution.ForwardOperation.Workspace(device, s);
        return training
            ? Math.Max(forward, Math.Max(Convolution.BackwardDataOperation.Workspace(device, s), Convolution.BackwardWeightsOperation.Workspace(device, s)))
            : forward;
    }

    public override void Forward(in LayerPass pass)
        => Convolution.Forward(pass.Device, Shape(pass.Images, pass.Input), pass.X, Weight.Value, Bias.Value, pass.Y, pass.Workspace);

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        var s = Shape(pass.Images, pass.Input);
        Convolution.BackwardWeights(pass.Device, s, pass.X, pass.Y, dy, Weight.Gradient, Bias.Gradient, pass.Workspace);
        if (dx.Length > 0)
            Convolution.BackwardData(pass.Device, s, Weight.Value, pass.Y, dy, dx, pass.Workspace);
    }

    private ConvolutionShape Shape(int images, MapShape input)
        => new(images, input.Height, input.Width, ic, oc, window, window, stride, padding, groups, relu ? 1 : 0);
}
