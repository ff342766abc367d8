using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Runs images of a store through a network's plan: their descriptors before PCA, into rows that are allocated once. It owns the plan's way
/// in, not the plan.
/// </summary>
internal sealed class Describer
{
    private readonly Network network;
    private readonly NetworkPlan plan;
    private readonly ImageStore store;
    private readonly DecodeAhead ahead;

    public Describer(Network network, NetworkPlan plan, ImageStore store)
    {
        this.network = network;
        this.plan = plan;
        this.store = store;
        ahead = new(store.Pixels, network.Settings.Preprocessing, plan.MaxImages, store.Height, store.Width);
    }

    public NetworkPlan Plan => plan;

    /// <summary>Batches decoded ahead; upload each and run the plan.</summary>
    public IEnumerable<DecodeAhead.Batch> Read(IReadOnlyList<ImageRef[]> batches, CancellationToken token) => ahead.Read(batches, token);

    /// <summary>Describes images first … first + rows − 1 of the store.</summary>
    /// <param name="rows">[images, <see cref="Network.PooledLength"/>]</param>
    public void Describe(int first, DescriptorMatrix rows, IProgressSink progress, string what, CancellationToken token)
    {
        progress.Begin(what, rows.Rows, "images");
        int done = 0;
        foreach (var batch in ahead.Read([.. Enumerable.Range(first, rows.Rows).Select(i => new ImageRef(i)).Chunk(plan.MaxImages)], token))
        {
            network.Device.Upload(batch.Filled, plan.Input);
            var y = plan.Forward(batch.Count);
            int length = batch.Count * rows.Dimension;
            network.Device.Download(y.SubView(0, length), rows.Values.AsSpan(done * rows.Dimension, length));
            progress.Advance(done += batch.Count);
        }
    }
}
