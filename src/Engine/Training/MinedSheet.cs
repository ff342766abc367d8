using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Pictures of what an epoch learns from: queries with the positive chosen and the hardest negatives mined. The first epoch's stays, the last one's is drawn over each time, so that
/// the two show whether negatives got harder in a way that people see too.
/// </summary>
internal sealed class MinedSheet(Dataset training, TrainingSet set, IImageDecoder decoder, RunFolder folder)
{
    private const int Rows = 8, Negatives = 4;

    /// <param name="tuples">Of the epoch's first refresh interval; those that a database image asks are left out. Nothing is drawn where none is left.</param>
    public void Draw(int epoch, IReadOnlyList<TrainingTuple> tuples)
    {
        var triples = Sample(tuples);
        if (triples.Length > 0)
            TripleSheet.Write(
                epoch == 1 ? folder.MinedFirst : folder.MinedLast,
                string.Create(CultureInfo.InvariantCulture, $"Epoch {epoch}: queries, the positive chosen, the hardest negatives mined"), training, triples, decoder);
    }

    /// <summary>Some of the tuples, spread evenly over the queries, as indices of the dataset.</summary>
    internal Triple[] Sample(IReadOnlyList<TrainingTuple> tuples)
    {
        TrainingTuple[] asked = [.. tuples.Where(t => t.Query >= set.DatabaseCount).OrderBy(t => t.Query)];
        return [.. QuerySample.Of([.. asked.Select(_ => true)], Rows).Select(i => asked[i])
            .Select(t => new Triple(t.Query - set.DatabaseCount, t.Positive, [.. t.Negatives.Take(Negatives)]))];
    }
}
