using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Runs images of a store through a network's plan, or their maps through one of the learning layers: their descriptors before PCA, into rows that are allocated
/// once. It owns the plan's way in, not the plan.
/// </summary>
internal sealed class Describer : IDisposable
{
    private readonly Network network;
    private readonly NetworkPlan plan;
    private readonly FrozenMaps? maps;
    private readonly InputAhead ahead;

    /// <param name="plan">Takes pixels, or maps.</param>
    /// <param name="maps">Of the store, where the plan takes maps; null where it takes pixels.</param>
    /// <param name="onBad">Told of an image that cannot be decoded, where the plan takes pixels; null lets it throw.</param>
    public Describer(Network network, NetworkPlan plan, ImageStore store, FrozenMaps? maps = null, Action<int, ImageException>? onBad = null)
    {
        this.network = network;
        this.plan = plan;
        this.maps = maps;
        ahead = maps is null ? store.Ahead(network.Device, plan.MaxImages, onBad) : new(network.Device, maps.Read, plan.MaxImages, (long)plan.MaxImages * plan.InputLength);
    }

    public NetworkPlan Plan => plan;

    /// <summary>Makes the maps that are not there yet, so that what follows is told as what it is.</summary>
    public void Prepare(IProgressSink progress, CancellationToken token) => maps?.Prepare(progress, token);

    /// <summary>The batches in their order, each in the plan's input when the reader gets it; <see cref="Prepare"/> comes first.</summary>
    /// <returns>How many images the batch has: those that can be decoded.</returns>
    public IEnumerable<int> Feed(IReadOnlyList<ImageRef[]> batches, CancellationToken token)
    {
        int length = plan.InputLength;
        foreach (var batch in ahead.Read([.. batches.Select(b => (b, length))], token))
        {
            ahead.Bring(batch, plan.Input);
            yield return batch.Count;
        }
    }

    /// <summary>Describes images first … first + rows − 1 of the store.</summary>
    /// <param name="rows">[images, <see cref="Network.PooledLength"/>]</param>
    public void Describe(int first, DescriptorMatrix rows, IProgressSink progress, string what, CancellationToken token)
    {
        Prepare(progress, token);
        progress.Begin(what, rows.Rows, "images");
        int done = 0;
        using var results = new ResultsBehind<int>(network.Device, (long)plan.MaxImages * rows.Dimension);
        void Take()
        {
            var taken = results.Take();
            taken.Values.CopyTo(rows.Values.AsSpan(done * rows.Dimension));
            progress.Advance(done += taken.Batch);
        }

        foreach (int images in Feed([.. Enumerable.Range(first, rows.Rows).Select(i => new ImageRef(i)).Chunk(plan.MaxImages)], token))
        {
            results.Start(images, plan.Forward(images).SubView(0, images * rows.Dimension));
            if (results.IsFull)
                Take();
        }
        while (!results.IsEmpty)
            Take();
    }

    public void Dispose() => ahead.Dispose();
}
