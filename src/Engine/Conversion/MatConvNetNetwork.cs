using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Matlab;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>
/// Recognises the networks of NetVLAD's authors (github.com/Relja/netvlad) in MatConvNet's layout, their own layers made into structures: a trunk, perhaps with its max pooling before ReLU instead
/// of behind it, which is the same; <c>preL2</c>; a VLAD layer, whose centres stand there with the other sign; intra-normalisation; <c>postL2</c>; and perhaps a PCA as a convolution of 1×1, whose input
/// has clusters next to each other and not channels (their README_more.md). Also MatConvNet's trunks alone, with a classifier, which is left out.
/// </summary>
internal sealed class MatConvNetNetwork
{
    // What vl_nnnormalize adds below its root (addLayers.m), which makes this the soft floor.
    private const double Floor = 1e-12;

    private readonly string path;
    private readonly List<MatConvNetLayer> layers = [];
    private readonly Dictionary<string, Func<float[]>> parameters = [];
    private readonly Preprocessing preprocessing;
    private int at;
    private bool? ceil;
    private float responseOffset = 1;

    private MatConvNetNetwork(string path)
    {
        this.path = path;
        var file = MatlabFile.Read(path, name => name is "net" or "layers" or "meta");
        // The authors save a variable net, MatConvNet's own networks are saved field by field.
        var net = file.Find("net") is { } value ? file.Struct(value, "net") : null;
        var cells = file.Cells(net is null ? file.Find("layers") : net.Find("layers"), "the layers of a network (net.layers)");
        for (int i = 0; i < cells.Count; i++)
        {
            if (cells[i] is MatlabOther { ClassName: { } className })
                throw IsObject($"layer {i + 1} in {path} is an object of class {className}");
            var fields = file.Struct(cells[i], $"layer {i + 1}");
            string name = fields.Find("name") is { } text ? file.Text(text, $"the name of layer {i + 1}") : "without a name";
            layers.Add(new(file, fields, i + 1, file.Text(fields.Find("type"), $"the type of layer {i + 1}"), name));
        }
        var meta = file.Struct(net is null ? file.Find("meta") : net.Find("meta"), "net.meta");
        preprocessing = new(Mean(file.Numbers(file.Struct(meta.Find("normalization"), "net.meta.normalization").Find("averageImage"), "net.meta.normalization.averageImage")), [1, 1, 1]);
    }

    /// <param name="pooling">Of a file that has no pooling layer; null for NetVLAD, whose clusters are then still to be found.</param>
    /// <exception cref="UserErrorException">It is none of these, or a layer is another than is known: the sentence names it.</exception>
    public static ForeignNetwork Read(Device device, string path, PoolingKind? pooling, IReadOnlyList<Backbone> backbones)
    {
        var network = new MatConvNetNetwork(path);
        using var trunk = network.Trunk(device, backbones);
        return network.Recognise(trunk, pooling);
    }

    private ForeignNetwork Recognise(CandidateTrunk trunk, PoolingKind? asked)
    {
        int d = trunk.Channels;
        bool keepRelu = ReadTrunk(trunk);
        var settings = new NetworkSettings
        {
            Backbone = trunk.Backbone.Name, Pooling = asked ?? PoolingKind.NetVlad, KeepRelu = keepRelu, SoftFloor = true, CeilPooling = ceil, ResponseOffset = responseOffset, Preprocessing = preprocessing,
            Resize = ResizePolicy.Native,
        };
        if (at == layers.Count || IsClassifier(layers[at]))
            // What a trunk's last ReLU is, its user says; the paper crops before it.
            return new("MatConvNet, a trunk", trunk.Backbone, settings with { KeepRelu = keepRelu && at == layers.Count }, parameters, false) { LeftOut = [.. layers.Skip(at).Where(l => l.Type == "conv").Select(l => l.ToString())] };
        bool normalised = TakeNormalisation(d);
        var core = Next("a pooling layer");
        settings = settings with { Pooling = PoolingOf(core) };
        if (asked is { } other && other != settings.Pooling)
            throw new UserErrorException($"{path} has the pooling {settings.Pooling.Name()}, not {other.Name()}: leave --pool out.");
        bool clusters = settings.Pooling.HasClusters();
        if (clusters != normalised)
            throw Unlike(core, clusters ? "gets local descriptors that are not normalised (no preL2 before it)" : "gets local descriptors that are normalised (preL2 before it)");
        if (clusters)
        {
            settings = settings with { Clusters = ReadClusters(core, d) };
            if (!TakeNormalisation(d))
                throw Unlike(core, "is followed by no normalisation of each cluster (vlad:intranorm)");
        }
        TakeWhole("postL2");
        var pca = at < layers.Count && layers[at].Type == "conv" ? ReadPca(clusters ? settings.Clusters : 1, d) : null;
        if (at < layers.Count)
            throw Unlike(layers[at], $"of type {layers[at].Type} stands where the network must end");
        return new("MatConvNet, as the authors of NetVLAD", trunk.Backbone, settings, parameters, clusters) { Pca = pca };
    }

    /// <summary>The backbone whose convolutions the file's first ones are.</summary>
    private CandidateTrunk Trunk(Device device, IReadOnlyList<Backbone> backbones)
    {
        int[][] shapes = [.. layers.Where(l => l.Type == "conv").Select(FileShape)];
        foreach (var backbone in backbones)
        {
            var candidate = new CandidateTrunk(device, backbone);
            int[][] theirs = [.. candidate.Layers.OfType<ConvolutionLayer>().Select(l => l.Weight.FileShape)];
            if (theirs.Length <= shapes.Length && theirs.Zip(shapes).All(p => p.First.SequenceEqual(p.Second)) && candidate.Layers.All(l => l is ConvolutionLayer or MaxPoolingLayer or LocalResponseLayer))
                return candidate;
            candidate.Dispose();
        }
        throw new UserErrorException($"{path} has {shapes.Length} convolutions, which are of none of the trunks that are known here: {string.Join(", ", backbones.Select(b => b.Name))}.");
    }

    /// <summary>Compares layer by layer.</summary>
    /// <returns>Whether the last convolution keeps its ReLU.</returns>
    private bool ReadTrunk(CandidateTrunk trunk)
    {
        var map = new MapShape(512, 512, 3);
        ConvolutionLayer? convolution = null;
        bool relu = false;
        foreach (var layer in trunk.Layers)
        {
            if (layer is ConvolutionLayer && convolution is not null && !relu)
                throw new UserErrorException($"{path} has no ReLU behind {convolution.Name}, which {trunk.Backbone.Name} has.");
            var next = Next(layer.ToString()!);
            switch (layer)
            {
                case ConvolutionLayer c when next.Type == "conv":
                    ReadConvolution(c, next, map);
                    (convolution, relu) = (c, false);
                    break;
                case MaxPoolingLayer pooling when next.Type == "pool":
                    CheckPooling(pooling, next, map);
                    break;
                case LocalResponseLayer when next.Type is "normalize" or "lrn":
                    CheckResponse(next);
                    break;
                default:
                    throw Unlike(next, $"of type {next.Type} stands where {trunk.Backbone.Name} has {layer}");
            }
            map = layer.Output(map);
            relu |= TakeRelu();
        }
        return relu;
    }

    private void ReadConvolution(ConvolutionLayer convolution, MatConvNetLayer layer, MapShape map)
    {
        var shape = convolution.Shape(1, map);
        if (layer.Numbers("stride", 1).Any(s => s != shape.Stride) || layer.Numbers("pad", 0).Any(p => p != shape.Padding))
            throw Unlike(layer, $"has stride {string.Join(", ", layer.Numbers("stride", 1))} and padding {string.Join(", ", layer.Numbers("pad", 0))} where {convolution} has {shape.Stride} and {shape.Padding}");
        if (layer.Weights.Count != 2 || layer.Weight(1).Count != shape.Oc)
            throw Unlike(layer, $"must have weights and {shape.Oc} biases");
        parameters.Add(convolution.Weight.Name, () => ToOwnOrder(layer));
        parameters.Add(convolution.Bias.Name, layer.Weight(1).ToSingles);
    }

    /// <summary>Whether windows at the border are cut: MatConvNet says so by a row and a column of padding behind the map.</summary>
    private void CheckPooling(MaxPoolingLayer pooling, MatConvNetLayer layer, MapShape map)
    {
        var expected = pooling.Behind(new(1, map.Height, map.Width, 1, 1, 1, 1));
        double[] pad = layer.Numbers("pad", 0);
        bool? up = pad.All(p => p == 0) ? false : pad is [0, 1, 0, 1] ? true : null;
        string method = layer.Fields.Find("method") is { } text ? layer.File.Text(text, $"the method of {layer}") : "max";
        if (up is null || method != "max" || layer.Numbers("pool").Any(w => w != expected.Window) || layer.Numbers("stride", 1).Any(s => s != expected.Step) || ceil is { } before && before != up)
            throw Unlike(layer, $"is not {pooling}, or its padding [{string.Join(", ", pad)}] is not that of the others");
        ceil = up;
    }

    /// <summary>[n, k, α/n, β] of Caffe's AlexNet; k is a setting.</summary>
    private void CheckResponse(MatConvNetLayer layer)
    {
        double[] p = layer.Numbers("param");
        if (p is not [5, > 0, var alpha, var beta] || Math.Abs(alpha - 1e-4 / 5) > 1e-9 || Math.Abs(beta - 0.75) > 1e-6)
            throw Unlike(layer, $"normalises responses by [{string.Join(", ", p)}] and not by [5, k, 2e-5, 0.75]");
        responseOffset = (float)p[1];
    }

    /// <summary>Takes a ReLU or dropout, if they come next.</summary>
    private bool TakeRelu()
    {
        bool relu = false;
        for (; at < layers.Count && layers[at].Type is "relu" or "dropout"; at++)
        {
            if (layers[at].Type == "relu" && layers[at].Numbers("leak", 0).Any(l => l != 0))
                throw Unlike(layers[at], "leaks, which no network does that is read here");
            relu |= layers[at].Type == "relu";
        }
        return relu;
    }

    /// <summary>Takes L2 normalisation over the channels of each place, if it comes next: [2·D, 1e-12, 1, 0.5].</summary>
    private bool TakeNormalisation(int d)
    {
        if (at == layers.Count || layers[at].Type is not ("normalize" or "lrn"))
            return false;
        double[] p = layers[at].Numbers("param");
        if (p is not [var window, var floor, 1, 0.5] || window < 2 * d || Math.Abs(floor / Floor - 1) > 1e-3)
            throw Unlike(layers[at], $"normalises by [{string.Join(", ", p)}] and not by [{2 * d}, {Floor}, 1, 0.5], the length of a descriptor");
        at++;
        return true;
    }

    /// <summary>Takes the authors' normalisation of a whole descriptor.</summary>
    private void TakeWhole(string name)
    {
        var layer = Next($"{name}, the normalisation of a descriptor");
        if (layer.Type != "custom" || layer.Name != name || layer.Weights.Count > 0)
            throw Unlike(layer, $"of type {layer.Type} stands where {name}, the normalisation of a descriptor, must be");
    }

    private PoolingKind PoolingOf(MatConvNetLayer layer) => (layer.Type, layer.Name, layer.Weights.Count) switch
    {
        ("custom", "max:core", 0) => PoolingKind.Max,
        ("custom", "avg:core", 0) => PoolingKind.Average,
        ("custom", _, 2) => PoolingKind.NetVlad,
        ("custom", _, 3) => PoolingKind.NetVladV2,
        ("custom", "vlad:core", 0) => throw IsObject($"{layer} in {path} has lost its weights, as objects do that are saved without their class"),
        _ => throw Unlike(layer, $"of type {layer.Type} with {layer.Weights.Count} weights is no pooling layer that is read here"),
    };

    /// <summary>[1, 1, D, K] of assignment and of centres, and for V2 a bias between them: a channel's numbers lie side by side as they do here.</summary>
    /// <returns>K</returns>
    private int ReadClusters(MatConvNetLayer layer, int d)
    {
        int last = layer.Weights.Count - 1;
        int[] shape = layer.Shape(0);
        int k = shape is [1, 1, var channels, > 0 and var clusters] && channels == d && layer.Shape(last).SequenceEqual(shape) ? clusters
            : throw Unlike(layer, $"has weights of {string.Join('×', shape)} and {string.Join('×', layer.Shape(last))}, and must have 1×1×{d}×K");
        parameters.Add("pool.conv.weight", layer.Weight(0).ToSingles);
        parameters.Add("pool.centroids", () => Array.ConvertAll(layer.Weight(last).ToSingles(), c => -c));
        if (last == 2)
            parameters.Add("pool.conv.bias", layer.Weight(1).Count == k ? layer.Weight(1).ToSingles : throw Unlike(layer, $"has {layer.Weight(1).Count} biases for {k} clusters"));
        return k;
    }

    /// <summary>[1, 1, K·D, d] and a bias, then finalL2. A descriptor is there in the order k + K·c, here in c + D·k.</summary>
    private Func<Projection> ReadPca(int clusters, int channels)
    {
        var layer = Next("a PCA");
        int length = clusters * channels;
        int[] shape = layer.Weights.Count == 2 ? layer.Shape(0) : [];
        if (shape is not [1, 1, var rows, > 0 and var dimension] || rows != length || layer.Weight(1).Count != dimension)
            throw Unlike(layer, $"has weights of {string.Join('×', shape)}, and a PCA of these descriptors must have 1×1×{length}×d and d biases");
        TakeWhole("finalL2");
        return () =>
        {
            float[] theirs = layer.Weight(0).ToSingles(), own = new float[theirs.Length];
            for (int row = 0; row < dimension; row++)
            {
                var from = theirs.AsSpan(row * length, length);
                var to = own.AsSpan(row * length, length);
                for (int k = 0; k < clusters; k++)
                    for (int c = 0; c < channels; c++)
                        to[k * channels + c] = from[k + clusters * c];
            }
            return new(length, dimension, own, layer.Weight(1).ToSingles());
        };
    }

    /// <summary>Sizes as PyTorch orders them.</summary>
    private static int[] FileShape(MatConvNetLayer layer) => layer.Weights.Count > 0 && layer.Shape(0) is [var h, var w, var ic, var oc] ? [oc, ic, h, w] : [];

    /// <summary>From the first index fastest of [H, W, Ic, Oc] to the last index fastest of [Oc, Ic, H, W].</summary>
    private static float[] ToOwnOrder(MatConvNetLayer layer)
    {
        float[] theirs = layer.Weight(0).ToSingles(), own = new float[theirs.Length];
        int[] shape = layer.Shape(0);
        int height = shape[0], width = shape[1], to = 0;
        for (int plane = 0; plane < shape[2] * shape[3]; plane++)
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++)
                    own[to++] = theirs[h + height * (w + width * plane)];
        return own;
    }

    /// <summary>The authors take the first pixel of the mean image, which is even in VGG's (serialAllFeats.m).</summary>
    private float[] Mean(MatlabNumbers image)
    {
        int pixels = image.Count / 3;
        if (image.Count == 0 || image.Count % 3 != 0 || pixels > 1 && image.Shape[^1] != 3)
            throw new UserErrorException($"net.meta.normalization.averageImage in {path} is {image.Kind} and must have three channels: it is not what is asked for.");
        float[] all = image.ToSingles();
        return [all[0], all[pixels], all[2 * pixels]];
    }

    private static bool IsClassifier(MatConvNetLayer layer) => layer.Type is "pool" or "softmax" || layer.Type == "conv" && layer.Name.StartsWith("fc", StringComparison.Ordinal);

    private MatConvNetLayer Next(string expected)
        => at < layers.Count ? layers[at++] : throw new UserErrorException($"{path} ends after {layers.Count} layers, where {expected} must follow: it is incomplete, or of another network.");

    private UserErrorException Unlike(MatConvNetLayer layer, string what) => new($"{layer} in {path} {what}: such a network is not read here; see docs/weights.md for those that are.");

    private static UserErrorException IsObject(string what)
        => new($"{what}, which only MATLAB with the authors' code can read: run there `for i = 1:numel(net.layers), net.layers{{i}} = struct(net.layers{{i}}); end`, save net with -v7, and convert that file.");
}
