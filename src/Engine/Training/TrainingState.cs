namespace IlgpuNetVlad.Engine.Training;

/// <summary>The counters of a run between two steps, stored with every checkpoint.</summary>
internal sealed record TrainingState
{
    /// <summary>The epoch under way, from 1; 0 before the first.</summary>
    public int Epoch { get; set; }

    /// <summary>Anchors of the epoch's order before the present refresh interval.</summary>
    public int Position { get; set; }

    /// <summary>Batches done of the present interval.</summary>
    public int BatchesDone { get; set; }

    /// <summary>Updates and fruitless batches so far.</summary>
    public long Step { get; set; }

    /// <summary>The epoch's generator as it was before the present interval was mined.</summary>
    public string Generator { get; set; } = "";

    /// <summary>Sum of the epoch's tuple losses, its tuples, and anchors skipped.</summary>
    public double LossSum { get; set; }

    /// <inheritdoc cref="LossSum"/>
    public int Tuples { get; set; }

    /// <inheritdoc cref="LossSum"/>
    public int Skipped { get; set; }

    public int BestEpoch { get; set; }

    /// <summary>Hits of the best epoch in the order of comparison.</summary>
    public int[] BestHits { get; set; } = [];

    public List<EpochSummary> History { get; set; } = [];

    public RunLengths Lengths { get; set; } = new();
}
