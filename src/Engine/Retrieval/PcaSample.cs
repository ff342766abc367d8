using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Fits a PCA on descriptors of a set's database images, at most 10,000 of them drawn by a seed, as the authors do.</summary>
public static class PcaSample
{
    private const int Most = 10_000;

    /// <param name="network">A PCA that it has is not applied, and not replaced.</param>
    /// <param name="dimensions">Components to keep.</param>
    /// <returns>The PCA and how many images it was fitted on.</returns>
    /// <exception cref="UserErrorException">More components than images allow.</exception>
    public static (Projection Pca, int Images) Fit(
        Network network, Dataset set, int dimensions, bool whiten, IImageDecoder decoder, int batch, ulong seed, IProgressSink? progress = null, CancellationToken token = default)
    {
        int[] chosen = new SeededGenerator(seed, stream: ulong.MaxValue - 3).Permutation(set.Database.Count)[..Math.Min(Most, set.Database.Count)];
        Array.Sort(chosen);
        var before = network.Pca;
        network.Pca = null;
        try
        {
            var rows = Extractor.Extract(
                network, [.. chosen.Select(i => set.Database[i].Path)], decoder, network.Settings.Resize, batch, progress, token,
                (path, reason) => progress?.Line($"Skipped {path}: {reason}"));
            return (PrincipalComponents.Fit(network.Device, rows, dimensions, whiten, progress, token), rows.Rows);
        }
        finally
        {
            network.Pca = before;
        }
    }
}
