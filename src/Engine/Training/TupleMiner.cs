using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Chooses tuples by cached descriptors (1511.07247, section 4 and appendix A). For each anchor: the nearest potential positive; candidates are random definite
/// negatives joined with those remembered from its last turn; the hardest candidates are remembered, violating or not; of those
/// with d² &lt; d²₊ + m the hardest few are used, and an anchor with none is skipped.
/// </summary>
public sealed class TupleMiner
{
    private readonly TrainingSet set;
    private readonly TrainingOptions options;
    private readonly int[][] remembered;
    private readonly int[] pool;

    public TupleMiner(TrainingSet set, TrainingOptions options)
    {
        this.set = set;
        this.options = options;
        remembered = new int[set.Anchors.Count][];
        Array.Fill(remembered, []);
        pool = new int[set.Images.Count];
        for (int i = 0; i < pool.Length; i++)
            pool[i] = i;
    }

    /// <summary>For each anchor the images remembered as its hardest negatives, hardest first.</summary>
    public IReadOnlyList<int[]> Remembered => remembered;

    /// <summary>Puts back what <see cref="Remembered"/> gave.</summary>
    public void Restore(IReadOnlyList<int[]> remembered)
    {
        for (int a = 0; a < this.remembered.Length; a++)
            this.remembered[a] = remembered[a];
    }

    /// <summary>Tuples of some different anchors, in their order, those without a violating negative left out.</summary>
    /// <param name="descriptors">A row an image of the set, L2-normalised.</param>
    /// <param name="generator">Drawn from in the order of the anchors, so that the number of threads has no say.</param>
    public TrainingTuple[] Mine(ReadOnlySpan<int> anchors, DescriptorMatrix descriptors, SeededGenerator generator, CancellationToken token = default)
    {
        var order = anchors.ToArray();
        var candidates = new int[order.Length][];
        var flips = new bool[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            candidates[i] = Candidates(order[i], generator);
            flips[i] = options.Flips && generator.Next(2) == 1;
        }
        var tuples = new TrainingTuple?[order.Length];
        Parallel.For(0, order.Length, new ParallelOptions { CancellationToken = token }, i => tuples[i] = Choose(order[i], candidates[i], descriptors, flips[i]));
        return [.. tuples.OfType<TrainingTuple>()];
    }

    /// <summary>Random definite negatives without repetition, joined with the remembered ones; ascending.</summary>
    private int[] Candidates(int anchor, SeededGenerator generator)
    {
        var asking = set.Anchors[anchor];
        int first = asking.FirstCandidate, count = asking.CandidateCount;
        var swaps = new List<int>();
        var chosen = new HashSet<int>(remembered[anchor]);
        int drawn = 0;
        // A shuffle that stops early; undone afterwards, so that every draw starts from the same order whatever came before.
        for (int i = 0; i < count && drawn < options.RandomNegatives; i++)
        {
            int j = i + generator.Next(count - i);
            (pool[first + i], pool[first + j]) = (pool[first + j], pool[first + i]);
            swaps.Add(j);
            if (!set.IsNegative(asking, pool[first + i]))
                continue;
            chosen.Add(pool[first + i]);
            drawn++;
        }
        for (int i = swaps.Count - 1; i >= 0; i--)
            (pool[first + i], pool[first + swaps[i]]) = (pool[first + swaps[i]], pool[first + i]);
        int[] result = [.. chosen];
        Array.Sort(result);
        return result;
    }

    private TrainingTuple? Choose(int anchor, int[] candidates, DescriptorMatrix descriptors, bool flip)
    {
        var asking = set.Anchors[anchor];
        var query = descriptors.Row(asking.Image);
        int positive = -1;
        float nearest = float.PositiveInfinity;
        foreach (int p in asking.Positives)
        {
            float d = Distance.Squared(query, descriptors.Row(p));
            if (positive < 0 || d < nearest)
                (positive, nearest) = (p, d);
        }
        var distances = new float[candidates.Length];
        for (int i = 0; i < candidates.Length; i++)
            distances[i] = Distance.Squared(query, descriptors.Row(candidates[i]));
        // Candidates ascend, and the sort is stable: equal distances go by lower image number.
        int[] hardest = [.. Enumerable.Range(0, candidates.Length).OrderBy(i => distances[i])
            .Take(Math.Max(options.RememberedNegatives, options.NegativesPerTuple))];
        remembered[anchor] = [.. hardest.Take(options.RememberedNegatives).Select(i => candidates[i])];
        int[] violating = [.. hardest.Where(i => distances[i] < nearest + options.Margin).Take(options.NegativesPerTuple).Select(i => candidates[i])];
        return violating.Length == 0 ? null : new(asking.Image, positive, violating, flip);
    }
}
