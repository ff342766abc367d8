using System.Globalization;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>Runs one epoch from wherever its state says it is.</summary>
internal sealed class EpochRunner(
    Network network,
    TrainingSet set,
    TrainingBench bench,
    TupleMiner miner,
    TrainingState state,
    TrainingOptions options,
    MinedSheet mined,
    RunFolder folder,
    IProgressSink progress)
{
    /// <param name="cached">The bench's cache already holds the descriptors of the present interval.</param>
    public void RunEpoch(bool cached, CancellationToken token)
    {
        var generator = new SeededGenerator(options.Seed, (ulong)state.Epoch);
        int[] order = generator.Permutation(set.Anchors.Count);
        if (state.Generator.Length > 0)
            generator.State = state.Generator;
        int interval = Schedule.RefreshInterval(options, state.Epoch);
        while (state.Position < order.Length)
        {
            state.Generator = generator.State;
            if (!cached)
            {
                // At the epoch's start one was just written.
                if (state.Position > 0)
                    Save();
                Refresh(token);
            }
            cached = false;
            int count = Math.Min(interval, order.Length - state.Position);
            int[][] remembered = [.. miner.Remembered];
            progress.Begin(string.Create(CultureInfo.InvariantCulture, $"Epoch {state.Epoch}: mining"), 0, "queries");
            var tuples = miner.Mine(order.AsSpan(state.Position, count), bench.Cache, generator, token);
            if (state.Position == 0)
                mined.Draw(state.Epoch, tuples);
            RunBatches(Batches(tuples, generator), remembered, token);
            state.Position += count;
            state.Skipped += count - tuples.Length;
            state.BatchesDone = 0;
        }
        // What follows is validation: an interruption there need not train the last interval again.
        state.Generator = generator.State;
        Save();
    }

    /// <summary>Writes a checkpoint; the descriptor cache goes with it where its interval is under way.</summary>
    public void Save(IReadOnlyList<int[]>? rememberedBefore = null)
    {
        state.Lengths = folder.Flush();
        Checkpoint.Save(
            folder.Checkpoint, network.Device, bench.Trained, state, rememberedBefore ?? miner.Remembered, options.RememberedNegatives,
            rememberedBefore is null ? null : bench.Cache);
    }

    private void Refresh(CancellationToken token)
    {
        bench.Describer.Describe(0, bench.Cache, progress, string.Create(CultureInfo.InvariantCulture, $"Epoch {state.Epoch}: describing all images"), token);
        // NaN violates no margin: mining would skip every query in silence.
        if (Array.FindIndex(bench.Cache.Values, x => !float.IsFinite(x)) >= 0)
            throw Diverged(bench.Describer.Plan.FirstNonFinite() ?? "the descriptor");
    }

    private List<TrainingBatch> Batches(TrainingTuple[] tuples, SeededGenerator generator)
        => [.. tuples.Chunk(options.TuplesPerBatch)
            .Select(t => TrainingBatch.Of(t, options.NegativesPerTuple, options.Scales.Count == 0 ? 0 : generator.Next(options.Scales.Count)))];

    private void RunBatches(List<TrainingBatch> batches, int[][] remembered, CancellationToken token)
    {
        float rate = Schedule.LearningRate(options, state.Epoch);
        foreach (var lane in bench.Lanes)
            lane.Prepare(progress, token);
        progress.Begin(string.Create(CultureInfo.InvariantCulture, $"Epoch {state.Epoch}: training"), batches.Count, "batches");
        var left = batches[state.BatchesDone..];
        // Each size has its own decoding ahead; batches are then taken in their own order.
        var readers = bench.Lanes
            .Select((lane, scale) => lane.Feed([.. left.Where(b => b.Scale == scale).Select(b => b.Images)], CancellationToken.None).GetEnumerator())
            .ToArray();
        try
        {
            foreach (var batch in left)
            {
                if (token.IsCancellationRequested)
                {
                    FinishSteps(all: true);
                    Save(remembered);
                    token.ThrowIfCancellationRequested();
                }
                // Into the plan's input.
                readers[batch.Scale].MoveNext();
                bench.Step.Start(bench.Lanes[batch.Scale].Plan, batch, rate, Diverged);
                FinishSteps(all: false);
            }
            FinishSteps(all: true);
        }
        finally
        {
            foreach (var reader in readers)
                reader.Dispose();
        }
    }

    /// <summary>Notes what the updates found that are done, or must be before the next.</summary>
    private void FinishSteps(bool all)
    {
        while (bench.Step.IsFull || (all && bench.Step.UnderWay > 0))
        {
            var outcome = bench.Step.Finish(Diverged);
            state.Step++;
            state.BatchesDone++;
            state.LossSum += outcome.LossSum;
            state.Tuples += outcome.Tuples;
            double loss = outcome.LossSum / outcome.Tuples;
            folder.Metric(new StepRecord(state.Step, state.Epoch, loss, outcome.Tuples, outcome.Negatives, outcome.Violating));
            folder.Scalar("training/loss", state.Step, loss);
            progress.Advance(state.BatchesDone);
        }
    }

    private TrainingDiverged Diverged(string where) => new(where, state.Step + 1, folder.Checkpoint);

    /// <summary>A line of metrics.jsonl.</summary>
    /// <param name="Loss">Mean over the batch's tuples.</param>
    /// <param name="Negatives">Selected by mining.</param>
    /// <param name="Violating">Triplets that still violate the margin in the fresh forward pass.</param>
    private sealed record StepRecord(long Step, int Epoch, double Loss, int Tuples, int Negatives, int Violating);
}
