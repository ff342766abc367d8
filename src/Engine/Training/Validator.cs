using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>Recall on the validation set between epochs, in memory that is allocated once.</summary>
internal sealed class Validator
{
    private readonly Network network;
    private readonly Dataset dataset;
    private readonly Describer describer;
    private readonly DescriptorMatrix database, queries;
    private readonly IProgressSink progress;

    /// <param name="describer">Of a store that holds the set's database images, then its queries.</param>
    public Validator(Network network, Dataset dataset, Describer describer, IProgressSink progress)
    {
        this.network = network;
        this.dataset = dataset;
        this.describer = describer;
        this.progress = progress;
        database = new(dataset.Database.Count, network.PooledLength);
        queries = new(dataset.Queries.Count, network.PooledLength);
    }

    /// <summary>At most so many of the queries, chosen by the seed, in their order; all database images.</summary>
    public static Dataset Cap(Dataset dataset, int? queries, ulong seed)
    {
        if (queries is not { } most || most >= dataset.Queries.Count)
            return dataset;
        var chosen = new SeededGenerator(seed, stream: ulong.MaxValue - 2).Permutation(dataset.Queries.Count)[..most];
        Array.Sort(chosen);
        return dataset.Restrict(chosen, Enumerable.Range(0, dataset.Database.Count));
    }

    public RecallReport Evaluate(CancellationToken token)
    {
        describer.Describe(0, database, progress, "Validation: describing the database", token);
        describer.Describe(database.Rows, queries, progress, "Validation: describing the queries", token);
        return Evaluation.Evaluate(network.Device, dataset, database, queries);
    }
}
