using ILGPU;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Memory for passes of a network over at most so many images of one size, allocated once; and the passes, which allocate nothing on the
/// device. An image's descriptor never depends on the images beside it. One thread at a time may use it and whatever else stands on its device; it is disposed of before its network.
/// </summary>
public sealed class NetworkPlan : IDisposable
{
    private readonly Network network;
    private readonly PlanLayout layout;
    private readonly DeviceBuffer memory;

    /// <summary>What each layer makes of its parameters; <see cref="own"/> holds it where no other plan shares it.</summary>
    private readonly PreparedParameters.Entry[] prepared;
    private readonly PreparedParameters? own;

    private int lastImages;

    /// <param name="shared">Outlives the plan; null: it shares nothing.</param>
    internal NetworkPlan(Network network, PlanLayout layout, PreparedParameters? shared = null)
    {
        this.network = network;
        this.layout = layout;
        Trained = [.. layout.Layers.Skip(layout.FirstTrained).SelectMany(l => l.Parameters)];
        foreach (var p in Trained)
            p.PrepareTraining();
        shared ??= own = new(network.Device);
        prepared = new PreparedParameters.Entry[layout.Layers.Count];
        // Layer by layer, and before there is memory for maps: parameters that are given back and what was made of others never stand in memory all at once.
        for (int i = 0; i < prepared.Length; i++)
            if (layout.Shared[i] is { } key)
            {
                prepared[i] = shared[key];
                Prepare(i, new(network.Device, layout.MaxImages, layout.Maps(i), default, default, default, default));
            }
        memory = network.Device.Allocate(layout.Block);
        for (int i = 0; i < prepared.Length; i++)
            prepared[i] ??= new(View(layout.Prepared[i]));
    }

    /// <summary>Bytes on the device, with what it may share with other plans; parameters, their gradients and velocities belong to the network.</summary>
    public long Bytes => layout.Total * sizeof(float);

    public int MaxImages => layout.MaxImages;

    /// <summary>Of one image in <see cref="Input"/>.</summary>
    public MapShape InputShape => layout.Shapes[0];

    /// <summary>The last map, before pooling.</summary>
    public MapShape FeatureShape => layout.Shapes[^2];

    /// <summary>
    /// [MaxImages, H, W, 3], normalised, or 8-bit pixels where the plan takes those (<see cref="PixelImage.CopyTo"/>), or the maps that its first layer takes where the plan is of the
    /// learning layers alone: fill the first images, then run. The passes leave it as it is.
    /// </summary>
    public ArrayView<float> Input => View(layout.Input);

    /// <summary>Floats of one image in <see cref="Input"/>: of pixels, four in each.</summary>
    public int InputLength => checked((int)layout.InputLength);

    /// <summary>Parameters that <see cref="Backward"/> makes gradients of, in the order of the layers; empty without training.</summary>
    public IReadOnlyList<Parameter> Trained { get; }

    /// <summary>Runs the first images of <see cref="Input"/> through all layers.</summary>
    /// <param name="images">0 … <see cref="MaxImages"/></param>
    /// <returns>
    /// Descriptors of unit length before PCA, [images, PooledLength], or the last maps where the plan is of the frozen layers alone; valid until the next
    /// forward pass.
    /// </returns>
    /// <exception cref="UserErrorException">NetVLAD has no clusters yet.</exception>
    public ArrayView<float> Forward(int images)
    {
        if (layout.Layers[^1] == network.Pooling && !network.ClustersInitialised)
            throw new UserErrorException("These weights have no clusters yet, so NetVLAD cannot run: train the network, or initialise its clusters from images.");
        using var range = network.Device.Range("forward");
        ForwardTrunk(images);
        RunForward(layout.Layers.Count - 1, images);
        return Result(images);
    }

    /// <summary>Runs the first images of <see cref="Input"/> through all layers but the last, which is pooling.</summary>
    /// <inheritdoc cref="Forward"/>
    public void ForwardTrunk(int images)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(images);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(images, MaxImages);
        lastImages = images;
        for (int i = 0; i < layout.Layers.Count - 1; i++)
            if (layout.BandedFrom(i) is { } banded)
            {
                RunBands(banded, images);
                i = banded.End - 1;
            }
            else
                RunForward(i, images);
    }

    private LayerPass RunForward(int layer, int images)
    {
        using var range = network.Device.Range(layout.Layers[layer].Label);
        var pass = Prepare(layer, Pass(layer, images, layout.ForwardWorkspace));
        layout.Layers[layer].Forward(pass);
        return pass;
    }

    /// <param name="after">Is told of each step of each image, and the ring or map with its rows.</param>
    private void RunBands(BandedLayers banded, int images, Action<BandedLayers.Step, ArrayView<float>>? after = null)
    {
        using var range = network.Device.Range($"{layout.Layers[banded.First].Label} to {layout.Layers[banded.End - 1].Label}");
        var passes = new LayerPass[banded.End - banded.First];
        var steps = new ConvolutionBandStep[banded.Steps.Count];
        for (int image = 0; image < images; image++)
        {
            for (int i = banded.First; i < banded.End; i++)
                passes[i - banded.First] = BandPass(banded, i, image);
            for (int i = 0; i < steps.Length; i++)
            {
                var (layer, band, before) = banded.Steps[i];
                steps[i] = layout.Layers[layer].Step(passes[layer - banded.First], band, before);
                if (after is null)
                    continue;
                Convolution.ForwardBands(network.Device, [steps[i] with { After = 0 }]);
                after(banded.Steps[i], steps[i].Y);
            }
            if (after is null)
                Convolution.ForwardBands(network.Device, steps);
        }
    }

    /// <summary>One image's; maps between layers of the group are rings, which all images take in turn.</summary>
    private LayerPass BandPass(BandedLayers banded, int layer, int image)
    {
        var input = View(layer == 0 ? layout.Input : layout.Outputs[layer - 1]);
        var output = View(layout.Outputs[layer]);
        if (layer == banded.First)
            input = input.SubView(image * (layer == 0 ? layout.InputLength : layout.Shapes[layer].Length));
        if (layer == banded.End - 1)
            output = output.SubView(image * layout.Shapes[layer + 1].Length, layout.Shapes[layer + 1].Length);
        return Prepare(layer, new(network.Device, 1, layout.Maps(layer), input, output, default, View(layout.ForwardWorkspace[layer])));
    }

    /// <summary>The pass with what its layer made of its parameters, now if they have changed.</summary>
    private LayerPass Prepare(int layer, LayerPass pass)
    {
        var made = prepared[layer];
        pass = pass with { Prepared = made.Numbers };
        long version = 0;
        foreach (var p in layout.Layers[layer].Parameters)
            version += p.Version;
        if (pass.Prepared.Length > 0 && (!layout.KeepsPrepared[layer] || made.Version != version))
        {
            layout.Layers[layer].Prepare(pass);
            made.Version = version;
            if (layout.Shared[layer] is not null)
                layout.Layers[layer].ReleaseParameters(pass);
        }
        return pass;
    }

    /// <summary>The last maps, [images, N, D], after a forward pass; rows of bf16 (<see cref="Bf16Rows"/>) where <see cref="HasBf16Features"/>.</summary>
    public ArrayView<float> Features(int images) => View(layout.Layers.Count == 1 ? layout.Input : layout.Outputs[^2]).SubView(0, images * FeatureShape.Floats(HasBf16Features));

    /// <summary>Whether the last maps are kept in bf16.</summary>
    public bool HasBf16Features => layout.Bf16[^2];

    /// <summary>The last maps in fp32, on the host.</summary>
    /// <param name="to">[images, N, D], or more.</param>
    public void ReadFeatures(int images, float[] to)
    {
        if (HasBf16Features)
            Bf16Rows.Unpack(network.Device.Download(Features(images)), FeatureShape.Channels).CopyTo(to, 0);
        else
            network.Device.Download(Features(images), to);
    }

    /// <summary>The way back after <see cref="Forward"/> of as many images: overwrites the gradient of every trained parameter.</summary>
    /// <param name="images">As of the forward pass before.</param>
    /// <param name="dDescriptors">[images, PooledLength]</param>
    public void Backward(int images, ArrayView<float> dDescriptors)
    {
        if (Trained.Count == 0)
            throw new InvalidOperationException("This plan is not for training.");
        if (images != lastImages)
            throw new ArgumentException($"The forward pass was of {lastImages} images, not {images}.");
        using var range = network.Device.Range("backward");
        var dy = dDescriptors;
        for (int i = layout.Layers.Count - 1; i >= layout.FirstTrained; i--)
        {
            var dx = layout.InputGradients[i] is { } piece ? View(piece).SubView(0, images * layout.Shapes[i].Floats(layout.Bf16[i])) : default;
            using var own = network.Device.Range(layout.Layers[i].Label);
            var pass = Pass(i, images, layout.BackwardWorkspace!);
            layout.Layers[i].Backward(layout.KeepsPrepared[i] ? pass with { Prepared = prepared[i].Numbers } : pass, dy, dx);
            dy = dx;
        }
    }

    /// <summary>
    /// Where NaN or infinity came in, in words: a parameter, else the first layer whose result is not finite, else the gradient of the last
    /// trained layer that is not; null where all is finite. Cheap while it is; to find a layer it runs the last forward pass again.
    /// </summary>
    public string? FirstNonFinite()
    {
        var finite = new FiniteCheck(network.Device);
        foreach (var p in Trained)
            if (!finite.Holds(p.Value))
                return $"{p.Name} of {p.Layer}";
        if (lastImages > 0 && !finite.Holds(Result(lastImages)))
            return FirstLayer(finite);
        // The way back begins at the end.
        foreach (var p in Trained.Reverse())
            if (!finite.Holds(p.Gradient))
                return $"the gradient of {p.Name} of {p.Layer}";
        return null;
    }

    /// <summary>The layer whose result is the first not to be finite.</summary>
    private string FirstLayer(FiniteCheck finite)
    {
        if (!layout.TakesPixels && !finite.Holds(View(layout.Input).SubView(0, lastImages * layout.InputLength)))
            return layout.Layers[0].Name == network.Layers[0].Name ? "the images" : $"the maps that {layout.Layers[0]} takes";
        foreach (var p in network.Parameters.Except(Trained))
            if (!finite.Holds(p.Value))
                return $"{p.Name} of {p.Layer}";
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            int found = layout.Layers.Count;
            if (layout.BandedFrom(i) is { } banded)
            {
                RunBands(banded, lastImages, (step, map) => found = step.Layer < found && !HoldsRows(finite, step.Band, map) ? step.Layer : found);
                i = banded.End - 1;
            }
            else if (!finite.Holds(RunForward(i, lastImages).Y, layout.Bf16[i + 1]))
                found = i;
            if (found < layout.Layers.Count)
                return $"the result of {layout.Layers[found]}";
        }
        return "the descriptors";
    }

    /// <summary>Whether the rows that a band has written are finite; what else stands in a ring is of no matter.</summary>
    private static bool HoldsRows(FiniteCheck finite, in ConvolutionBand band, ArrayView<float> map)
    {
        long length = (long)band.MapColumns * band.Convolution.Oc;
        for (int row = band.YFirst; row < band.YEnd; row++)
            if (!finite.Holds(map.SubView(row % band.YRing * length, length)))
                return false;
        return true;
    }

    private ArrayView<float> Result(int images) => View(layout.Outputs[^1]).SubView(0, images * layout.Shapes[^1].Length);

    private LayerPass Pass(int layer, int images, IReadOnlyList<ArenaPlanner.Piece?> workspaces) => new(
        network.Device, images, layout.Maps(layer),
        layer == 0 ? View(layout.Input).SubView(0, images * layout.InputLength) : View(layout.Outputs[layer - 1]).SubView(0, images * layout.Shapes[layer].Floats(layout.Bf16[layer])),
        View(layout.Outputs[layer]).SubView(0, images * layout.Shapes[layer + 1].Floats(layout.Bf16[layer + 1])),
        View(layout.Kept[layer]),
        View(workspaces[layer]!));

    private ArrayView<float> View(ArenaPlanner.Piece piece) => piece.Length == 0 ? default : memory.View.SubView(piece.Offset, piece.Length);

    public void Dispose()
    {
        memory.Dispose();
        own?.Dispose();
    }
}
