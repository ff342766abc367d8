using ILGPU;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Memory for passes of a network over at most so many images of one size, allocated once; and the passes.</summary>
public sealed class NetworkPlan : IDisposable
{
    private readonly Network network;
    private readonly PlanLayout layout;
    private readonly DeviceBuffer memory;

    internal NetworkPlan(Network network, PlanLayout layout)
    {
        this.network = network;
        this.layout = layout;
        Trained = [.. network.Layers.Skip(layout.FirstTrained).SelectMany(l => l.Parameters)];
        foreach (var p in Trained)
            p.PrepareTraining();
        memory = network.Device.Allocate(layout.Total);
    }

    /// <summary>Bytes on the device, parameters not among them.</summary>
    public long Bytes => memory.Bytes;

    public int MaxImages => layout.MaxImages;

    /// <summary>The last map, before pooling.</summary>
    public MapShape FeatureShape => layout.Shapes[^2];

    /// <summary>[MaxImages, H, W, 3]: fill the first rows, then run.</summary>
    public ArrayView<float> Input => View(layout.Input);

    /// <summary>Parameters that <see cref="Backward"/> makes gradients of, in the order of the layers; empty without training.</summary>
    public IReadOnlyList<Parameter> Trained { get; }

    /// <summary>Runs the first images of <see cref="Input"/> through all layers.</summary>
    /// <returns>Descriptors of unit length before PCA, [images, PooledLength].</returns>
    /// <exception cref="UserErrorException">NetVLAD has no clusters yet.</exception>
    public ArrayView<float> Forward(int images)
    {
        if (!network.ClustersInitialised)
            throw new UserErrorException("These weights have no clusters yet, so NetVLAD cannot run: `train` finds them first, and `eval` does with --init-clusters.");
        ForwardTrunk(images);
        int last = network.Layers.Count - 1;
        network.Layers[last].Forward(Pass(last, images));
        return View(layout.Outputs[last]).SubView(0, images * layout.Shapes[^1].Length);
    }

    /// <summary>Runs the first images of <see cref="Input"/> through all layers but pooling.</summary>
    public void ForwardTrunk(int images)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(images, MaxImages);
        for (int i = 0; i < network.Layers.Count - 1; i++)
            network.Layers[i].Forward(Pass(i, images));
    }

    /// <summary>The last maps, [images, N, D], after a forward pass.</summary>
    public ArrayView<float> Features(int images) => View(layout.Outputs[^2]).SubView(0, images * FeatureShape.Length);

    /// <summary>The way back after <see cref="Forward"/> of as many images: overwrites the gradient of every trained parameter.</summary>
    /// <param name="dDescriptors">[images, PooledLength]</param>
    public void Backward(int images, ArrayView<float> dDescriptors)
    {
        if (Trained.Count == 0)
            throw new InvalidOperationException("This plan is not for training.");
        var dy = dDescriptors;
        for (int i = network.Layers.Count - 1; i >= layout.FirstTrained; i--)
        {
            var dx = i > layout.FirstTrained ? View(layout.Gradients[i % 2]).SubView(0, images * layout.Shapes[i].Length) : default;
            network.Layers[i].Backward(Pass(i, images), dy, dx);
            dy = dx;
        }
    }

    /// <summary>
    /// The first trained parameter, by layers, whose values or gradient hold NaN or infinity, in words; null where all are finite.
    /// </summary>
    public string? FirstNonFinite()
    {
        foreach (var p in Trained)
        {
            if (!IsFinite(p.Value))
                return $"parameter {p.Name} of layer {p.Layer}";
            if (!IsFinite(p.Gradient))
                return $"the gradient of {p.Name} in layer {p.Layer}";
        }
        return null;
    }

    private bool IsFinite(ArrayView<float> values)
    {
        ReadOnlySpan<float> span = network.Device.IsHostMemory ? HostMemory.Span(values) : network.Device.Download(values);
        foreach (float x in span)
            if (!float.IsFinite(x))
                return false;
        return true;
    }

    private LayerPass Pass(int layer, int images) => new(
        network.Device, images, layout.Shapes[layer],
        (layer == 0 ? Input : View(layout.Outputs[layer - 1])).SubView(0, images * layout.Shapes[layer].Length),
        View(layout.Outputs[layer]).SubView(0, images * layout.Shapes[layer + 1].Length),
        View(layout.Kept[layer]),
        View(layout.Workspace));

    private ArrayView<float> View(PlanLayout.Piece piece) => memory.View.SubView(piece.Offset, piece.Length);

    public void Dispose() => memory.Dispose();
}
