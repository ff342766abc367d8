using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>
/// Recognises the networks of PyTorch's ports by the names of their tensors: those of pytorch-NetVlad (<c>encoder</c>, <c>pool</c>), Patch-NetVLAD (the same, and <c>WPCA</c>), the deep visual
/// geo-localization benchmark (<c>backbone</c>, <c>aggregation</c>), OpenIBL (<c>base_model.base</c>, <c>net_vlad</c>, <c>pca_layer</c>) and torchvision's trunks (<c>features</c>), wrapped by DataParallel
/// (<c>module</c>) or not. All of them describe cluster by cluster, so that no numbers change their places.
/// </summary>
internal sealed class NamedNetwork
{
    private const string Features = "features.", Pool = "pool.", Pca = "pca.", Wrapper = "module.";

    private static readonly Port[] Ports =
    [
        new("pytorch-NetVlad", "encoder.", Pool, "WPCA.0.", ResizePolicy.Native, Preprocessing.ImageNet),
        new("the deep visual geo-localization benchmark", "backbone.", "aggregation.", Pca, ResizePolicy.Exact(480, 640), Preprocessing.ImageNet),
        new("OpenIBL", "base_model.base.", "net_vlad.", "pca_layer.", ResizePolicy.Exact(480, 640), Preprocessing.Vgg),
        new("torchvision", Features, Pool, Pca, ResizePolicy.Native, Preprocessing.ImageNet),
    ];

    // A classifier's weights may be most of a file.
    private static readonly string[] Unused = ["classifier."];

    private readonly string path;
    private readonly Port port;

    /// <summary>By this engine's names.</summary>
    private readonly Dictionary<string, FoundTensor> tensors = [];

    private readonly List<string> leftOut = [];

    /// <summary>How a port calls its tensors, and what its weights were trained with.</summary>
    private sealed record Port(string Name, string Trunk, string Pooling, string Pca, ResizePolicy Resize, Preprocessing Preprocessing);

    private NamedNetwork(string path, IEnumerable<FoundTensor> found)
    {
        this.path = path;
        var all = found.Select(t => t with { Name = Unwrapped(t.Name) }).ToList();
        port = Ports.FirstOrDefault(p => all.Any(t => t.Name.StartsWith(p.Trunk, StringComparison.Ordinal)))
            ?? throw new UserErrorException($"{path} holds {all[0]} and no tensor that begins with {string.Join(" or ", Ports.Select(p => p.Trunk))}: it is none of the networks that are read here; see docs/weights.md.");
        foreach (var tensor in all)
            if (Unused.Any(u => tensor.Name.StartsWith(u, StringComparison.Ordinal)))
                leftOut.Add(tensor.ToString());
            else if (!tensors.TryAdd(OwnName(tensor.Name), tensor))
                throw new UserErrorException($"{path} holds {tensor.Name} twice, with and without {Wrapper}: save one model's state_dict.");
    }

    /// <param name="pooling">Of a file that has no clusters; null for NetVLAD, whose clusters are then still to be found.</param>
    /// <exception cref="UserErrorException">It is none of the networks that are known, or holds something beside.</exception>
    public static ForeignNetwork Read(Device device, string path, string format, IEnumerable<FoundTensor> found, PoolingKind? pooling, IReadOnlyList<Backbone> backbones)
        => new NamedNetwork(path, found).Recognise(device, format, pooling, backbones);

    private ForeignNetwork Recognise(Device device, string format, PoolingKind? pooling, IReadOnlyList<Backbone> backbones)
    {
        var trunk = Trunk(device, backbones, out int channels);
        var parameters = tensors.Where(t => t.Key.StartsWith(Features, StringComparison.Ordinal)).ToDictionary(t => t.Key, t => t.Value.Read);
        var settings = new NetworkSettings
        {
            Backbone = trunk.Name,
            Pooling = pooling ?? PoolingKind.NetVlad,
            Preprocessing = port.Preprocessing,
            Resize = tensors.ContainsKey(PcaNames.Weight) && port.Trunk == Ports[0].Trunk ? ResizePolicy.Exact(480, 640) : port.Resize,
            // torchvision's rounds up; the others' trunks have one rule each.
            CeilPooling = trunk.Name == "squeezenet" && port.Trunk == Features ? true : null,
        };
        bool clusters = tensors.TryGetValue("pool.centroids", out var centroids);
        int length = channels;
        if (clusters)
        {
            bool bias = tensors.ContainsKey("pool.conv.bias");
            settings = settings with { Pooling = bias ? PoolingKind.NetVladV2 : PoolingKind.NetVlad, Clusters = centroids!.Shape is [> 0, ..] ? centroids.Shape[0] : throw WrongShape(centroids, $"[K, {channels}]") };
            if (pooling is { } asked && asked != settings.Pooling)
                throw new UserErrorException($"{path} holds the clusters of {settings.Pooling.Name()}, not {asked.Name()}: leave --pool out.");
            Take("pool.conv.weight", settings.Clusters, channels);
            Take("pool.centroids", settings.Clusters, channels);
            if (bias)
                Take("pool.conv.bias", settings.Clusters);
            length = settings.Clusters * channels;
        }
        var pca = tensors.TryGetValue(PcaNames.Weight, out var weight) ? Projection(weight, length, clusters || !settings.Pooling.HasClusters()) : null;
        var unknown = tensors.Keys.FirstOrDefault(name => !parameters.ContainsKey(name) && name is not (PcaNames.Weight or PcaNames.Bias or PcaNames.Eigenvalues));
        if (unknown is not null)
            throw new UserErrorException($"{path} holds {tensors[unknown]}, which no network has that is read here: see docs/weights.md for those that are.");
        string name = pca is not null && port.Trunk == Ports[0].Trunk ? "Patch-NetVLAD" : port.Name;
        return new($"{format}, names of {name}", trunk, settings, parameters, clusters) { Pca = pca, LeftOut = leftOut };

        void Take(string name, params int[] shape) => parameters.Add(name, Must(name, shape).Read);
    }

    /// <summary>The backbone whose parameters these are, all of them and no others.</summary>
    private Backbone Trunk(Device device, IReadOnlyList<Backbone> backbones, out int channels)
    {
        var found = tensors.Where(t => t.Key.StartsWith(Features, StringComparison.Ordinal)).ToDictionary(t => t.Key, t => t.Value);
        foreach (var backbone in backbones)
        {
            using var candidate = new CandidateTrunk(device, backbone);
            var parameters = candidate.Parameters.ToArray();
            if (parameters.Length == found.Count && parameters.All(p => found.TryGetValue(p.Name, out var t) && t.Shape.SequenceEqual(p.FileShape)))
            {
                channels = candidate.Channels;
                return backbone;
            }
        }
        throw new UserErrorException(
            $"{path} has a trunk of {found.Count} tensors, the first {found.Values.First()}, which is none of those that are known here: {string.Join(", ", backbones.Select(b => b.Name))}.");
    }

    private Func<Projection> Projection(FoundTensor weight, int length, bool described)
    {
        if (!described)
            throw new UserErrorException($"{path} holds a PCA and no clusters, so nobody knows what it projects: take the whole network's file, or name its pooling with --pool.");
        if (weight.Shape is not [> 0, ..])
            throw WrongShape(weight, $"[d, {length}]");
        int dimension = weight.Shape[0];
        Must(PcaNames.Weight, dimension, length);
        var bias = Must(PcaNames.Bias, dimension);
        var eigenvalues = tensors.ContainsKey(PcaNames.Eigenvalues) ? Must(PcaNames.Eigenvalues, dimension) : null;
        return () => new(length, dimension, weight.Read(), bias.Read(), eigenvalues?.Read());
    }

    private FoundTensor Must(string name, params int[] shape)
    {
        if (!tensors.TryGetValue(name, out var tensor))
            throw new UserErrorException($"{path} lacks {TheirName(name)}: it is incomplete, or of another network; fetch or save it again.");
        return tensor.Trimmed.SequenceEqual(shape.Reverse().SkipWhile(n => n == 1).Reverse()) ? tensor : throw WrongShape(tensor, $"[{string.Join(", ", shape)}]");
    }

    private string OwnName(string name)
    {
        foreach (var (theirs, own) in new[] { (port.Trunk, Features), (port.Pooling, Pool), (port.Pca, Pca) })
            if (name.StartsWith(theirs, StringComparison.Ordinal))
                return own + name[theirs.Length..];
        // A name of ours in a file that has others of its own means something else.
        return name.StartsWith(Features, StringComparison.Ordinal) || name.StartsWith(Pool, StringComparison.Ordinal) || name.StartsWith(Pca, StringComparison.Ordinal) ? $"({name})" : name;
    }

    private string TheirName(string name)
        => name.StartsWith(Pool, StringComparison.Ordinal) ? port.Pooling + name[Pool.Length..] : name.StartsWith(Pca, StringComparison.Ordinal) ? port.Pca + name[Pca.Length..] : name;

    /// <summary>DataParallel puts its name before the whole model's, or before each part's that it wraps.</summary>
    private static string Unwrapped(string name) => name.Replace($".{Wrapper}", ".", StringComparison.Ordinal) is var inner && inner.StartsWith(Wrapper, StringComparison.Ordinal) ? inner[Wrapper.Length..] : inner;

    private UserErrorException WrongShape(FoundTensor tensor, string must) => new($"{tensor} in {path} must be of shape {must}: it belongs to another network.");
}
