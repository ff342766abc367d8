using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>The baselines of 1511.07247: maximum or mean of each channel over the map, then L2 normalisation.</summary>
/// <param name="max">Maximum (f_max); otherwise the mean.</param>
/// <param name="softFloor">The norm is √(‖v‖² + 1e-12), not max(‖v‖, 1e-12).</param>
public sealed class GlobalPoolingLayer(bool max, bool softFloor) : Layer("pool")
{
    public override bool KeepsInput => max;

    public override bool KeepsOutput => true;

    public override MapShape Output(MapShape input) => new(1, 1, input.Channels);

    /// <summary>The pooled channels before normalisation.</summary>
    public override long Kept(int images, LayerMaps maps) => (long)images * maps.Input.Channels;

    /// <summary>The gradient of the pooled channels.</summary>
    public override long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data) => data ? (long)images * maps.Input.Channels : 0;

    public override void Forward(in LayerPass pass)
    {
        var s = Shape(pass);
        if (max)
            GlobalPooling.MaxForward(pass.Device, s, pass.X, pass.Kept);
        else
            GlobalPooling.AverageForward(pass.Device, s, pass.X, pass.Kept);
        L2Normalization.Forward(pass.Device, Rows(pass), pass.Kept, pass.Y);
    }

    public override void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx)
    {
        if (dx.Length == 0)
            return;
        var pooled = pass.Workspace.SubView(0, (long)pass.Images * pass.Input.Channels);
        L2Normalization.Backward(pass.Device, Rows(pass), pass.Kept, pass.Y, dy, pooled);
        if (max)
            GlobalPooling.MaxBackward(pass.Device, Shape(pass), pass.X, pooled, dx);
        else
            GlobalPooling.AverageBackward(pass.Device, Shape(pass), pooled, dx);
    }

    public override string Export(OnnxGraph graph, string x)
        => graph.Normalised(graph.Add("Flatten", [graph.Add(max ? "GlobalMaxPool" : "GlobalAveragePool", [x])]), 1, softFloor, L2Normalization.Floor);

    private static GlobalPoolingShape Shape(in LayerPass pass) => new(pass.Images, pass.Input.Pixels, pass.Input.Channels);

    private RowsShape Rows(in LayerPass pass) => new(pass.Images, pass.Input.Channels, softFloor ? 1 : 0);
}
