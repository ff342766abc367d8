using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Makes an index of photographs, or adds photographs to one.</summary>
public sealed record IndexJob
{
    /// <summary>Photographs of more pixels are brought to <see cref="UsualSize"/> where neither the weights nor the user say a size: networks learn from smaller ones, and a camera's 12 million take seconds each.</summary>
    private const long LargestAsStored = 1_000_000;

    /// <summary>That of the paper's queries (1511.07247, section 5.1: 640×480).</summary>
    private const string UsualSize = "longest:640";

    public required NetworkRequest Network { get; init; }

    /// <summary>As of <see cref="Place.Named"/>.</summary>
    public required string Photos { get; init; }

    public required string Output { get; init; }

    /// <summary>The weights are an index themselves, whose places stay; photographs that are known already, by their paths, are not described again.</summary>
    public bool Add { get; init; }

    /// <summary>Images of one pass; no result depends on it.</summary>
    public int Batch { get; init; } = 16;

    public ulong Seed { get; init; } = 1;

    /// <summary>Writes the index.</summary>
    /// <exception cref="UserErrorException">Photographs, weights and wishes do not fit, no photograph can be read, or the file cannot be written.</exception>
    public IndexResult Run(Device device, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        var photos = Place.Named(Photos);
        var passedOver = ImageFiles.PassedOver(Photos);
        if (passedOver.Count > 0)
            progress.Line($"{Photos}: {ImageFiles.Told(passedOver)}");
        AtomicFile.Check(Output);
        if (Add && Network != new NetworkRequest { Weights = Network.Weights })
            throw new UserErrorException("Photographs are added by the index's own network: leave the options that say another out, or make a new index.");
        using var opened = Add ? null : Open(device, photos, decoder, progress);
        bool found = opened is { ClustersInitialised: false };
        if (found)
            ClusterInitialisation.Initialise(opened!, [.. photos.Select(p => p.Path)], decoder, opened!.Settings.Resize, new() { Seed = Seed }, progress, token);
        using var index = opened is null ? PlaceIndex.Load(device, Network.Weights!) : new PlaceIndex(opened);
        var known = index.Places.Select(p => p.Path).ToHashSet();
        Place[] news = [.. photos.Where(p => known.Add(p.Path))];
        var skipped = new List<(string Path, string Reason)>();
        index.AddFiles(news, decoder, Batch, progress, token, (path, reason) =>
        {
            skipped.Add((path, reason));
            progress.Line($"Skipped {path}: {reason}");
        });
        if (news.Length > 0 && skipped.Count == news.Length)
            throw new UserErrorException($"None of {news.Length} images can be read; the first is {skipped[0].Path}: {skipped[0].Reason}.");
        index.Save(Output);
        var places = index.Places;
        return new(places.Count, places.Count(p => p.Position is not null || p.Metres is not null), index.Dimension, index.Network.Settings, found, photos.Count - news.Length, skipped, passedOver);
    }

    private Network Open(Device device, IReadOnlyList<Place> photos, IImageDecoder decoder, IProgressSink progress)
    {
        var network = Network.Open(device, Seed);
        if (Network.Resize is not null || network.Settings.Resize != ResizePolicy.Native || Largest(photos, decoder) <= LargestAsStored)
            return network;
        network.Dispose();
        progress.Line($"Some photographs have more than a million pixels: all are brought to {UsualSize}; --resize says another size, --resize native none.");
        return (Network with { Resize = UsualSize }).Open(device, Seed);
    }

    /// <summary>Pixels of the largest photograph that can be read.</summary>
    private static long Largest(IReadOnlyList<Place> photos, IImageDecoder decoder)
    {
        var pixels = new long[photos.Count];
        Parallel.For(0, pixels.Length, i =>
        {
            try
            {
                var (height, width) = decoder.ReadSize(photos[i].Path);
                pixels[i] = (long)height * width;
            }
            catch (ImageException)
            {
                // Told when it is described.
            }
        });
        return pixels.Max();
    }
}
