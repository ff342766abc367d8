using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Measures a network on a dataset: recall, and recall over the length of the descriptors.</summary>
public sealed record EvaluationJob
{
    public required NetworkRequest Network { get; init; }
    public required string Dataset { get; init; }
    public required string Split { get; init; }

    /// <summary>Metres within which answers are right, more than 0; null for the usual radius. Only of sets with positions.</summary>
    public double? TestRadius { get; init; }

    /// <summary>Lengths after PCA to measure too; empty for none.</summary>
    public IReadOnlyList<int> Dimensions { get; init; } = [];

    /// <summary>Where the network has no PCA, one is fitted on the database images of this set; null for <see cref="Dataset"/>.</summary>
    public string? PcaDataset { get; init; }

    /// <summary>Its split; never the one that is measured, unless somebody says so.</summary>
    public string PcaSplit { get; init; } = "train";

    public bool Whiten { get; init; } = true;

    /// <summary>Images of one pass; no result depends on it.</summary>
    public int Batch { get; init; } = 16;

    public EvaluationOptions Options { get; init; } = new();

    /// <summary>Refuse a set whose queries do not follow one another as <see cref="RecallReport.ByTimeOfDay"/> needs them.</summary>
    public bool TimesOfDay { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Bytes that descriptors may take; null for what the machine has.</summary>
    public long? MemoryLimit { get; init; }

    /// <exception cref="UserErrorException">Data, weights and wishes do not fit.</exception>
    public EvaluationResult Run(Device device, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        var rules = new DatasetRules();
        var set = DatasetReader.Open(Dataset, Split, rules with { TestRadius = TestRadius ?? rules.TestRadius });
        if (TestRadius is not null && set.HasExplicitTruth)
            throw new UserErrorException($"{Dataset} lists the right answers, so that no radius makes any: leave --test-radius out.");
        set.TellPassedOver(progress);
        set.Check(keepSameTime: !Options.DropSameTime);
        if (Options.PanoramaRule)
            set = Panoramas.Named(set);
        if (TimesOfDay)
            Retrieval.TimesOfDay.Check(set);
        using var network = Network.Open(device, Seed);
        bool found = !network.ClustersInitialised;
        if (found)
            ClusterInitialisation.Initialise(network, [.. set.Database.Select(i => i.Path)], decoder, network.Settings.Resize, new() { Seed = Seed }, progress, token);
        if (Dimensions.Count == 0)
        {
            var described = DescribedSet.Describe(network, set, decoder, Batch, progress, token);
            return new(described, network.Settings, network.DescriptorLength, found, Report(described), []);
        }
        var pca = network.Pca ?? FitPca(network, decoder, progress, token);
        if (!FitWhole(network, set))
        {
            network.Pca = pca.Cut(Dimensions.Max());
            progress.Line($"Descriptors of {network.PooledLength} numbers of {set.Database.Count + set.Queries.Count} images are more than memory holds: only what the PCA makes of them is measured.");
            var projected = DescribedSet.Describe(network, set, decoder, Batch, progress, token);
            return new(projected, network.Settings, network.DescriptorLength, found, Report(projected), DimensionCurve.Measure(device, projected, null, Dimensions, Options, token));
        }
        network.Pca = null;
        var full = DescribedSet.Describe(network, set, decoder, Batch, progress, token);
        return new(full, network.Settings, network.PooledLength, found, Report(full), DimensionCurve.Measure(device, full, pca, Dimensions, Options, token));

        RecallReport Report(DescribedSet described) => Evaluation.Evaluate(device, described.Set, described.Database, described.Queries, Options);
    }

    /// <summary>Whether all descriptors before PCA can stand in memory, those of the database twice, for the search has its own: 20 GB of Tokyo 24/7 at 32,768 numbers.</summary>
    private bool FitWhole(Network network, Dataset set)
    {
        long database = (long)set.Database.Count * network.PooledLength, queries = (long)set.Queries.Count * network.PooledLength;
        return Math.Max(database, queries) <= Array.MaxLength && sizeof(float) * (2 * database + queries) <= (MemoryLimit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    private Projection FitPca(Network network, IImageDecoder decoder, IProgressSink progress, CancellationToken token)
    {
        string path = PcaDataset ?? Dataset;
        if (PcaDataset is null && !DatasetReader.Splits(path).Contains(PcaSplit) && QueryRanges.Parse(PcaSplit) is null)
            throw new UserErrorException($"{path} has no split {PcaSplit} to fit a PCA on: name other images with --pca-dataset or --pca-split, or store a PCA in the weights with `pca`.");
        var (pca, images) = PcaSample.Fit(network, DatasetReader.Open(path, PcaSplit), Dimensions.Max(), Whiten, decoder, Batch, Seed, progress, token);
        progress.Line($"PCA{(Whiten ? " with whitening" : "")} of {pca.OutputLength} components, fitted on {images} database images of {path}, {PcaSplit}");
        return pca;
    }
}
