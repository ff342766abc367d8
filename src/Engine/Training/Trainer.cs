using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Weakly supervised training (1511.07247, section 4 and appendix A):
/// <code>
/// each epoch: a random order of the anchors; every so many of them
///     checkpoint → describe all images anew → mine the interval's tuples → an update for each few of them
/// then validate, keep the best epoch, stop when recall@5 has not improved for long
/// </code>
/// Checkpoints stand where the descriptor cache is about to be made, so it need not be stored; one that Ctrl-C asks for inside an
/// interval stores it. A run that was interrupted anywhere continues bit for bit.
/// </summary>
public sealed class Trainer
{
    private readonly Network network;
    private readonly Dataset training, validation;
    private readonly IImageDecoder decoder;
    private readonly ResizePolicy resize;
    private readonly TrainingOptions options;
    private readonly RunFolder folder;
    private readonly IProgressSink progress;
    private RecallReport? bestReport;

    /// <param name="network">Its clusters are initialised if they are not yet. Afterwards it holds the best epoch.</param>
    /// <param name="training">Made with the options' rules.</param>
    public Trainer(
        Network network,
        Dataset training,
        Dataset validation,
        IImageDecoder decoder,
        ResizePolicy resize,
        TrainingOptions options,
        RunFolder folder,
        IProgressSink progress)
    {
        options.Check();
        this.network = network;
        this.training = training;
        this.validation = Validator.Cap(validation, options.ValidationQueries, options.Seed);
        this.decoder = decoder;
        this.resize = resize;
        this.options = options;
        this.folder = folder;
        this.progress = progress;
    }

    /// <exception cref="TrainingDiverged">NaN or infinity; the last checkpoint stands.</exception>
    /// <exception cref="UserErrorException">Too little memory, images of different sizes, no positives.</exception>
    /// <exception cref="OperationCanceledException">A checkpoint was written; <see cref="RunFolder.Resume"/> goes on from there.</exception>
    public TrainingResult Run(CancellationToken token = default)
    {
        var set = new TrainingSet(training, options.SwapRoles, options.DatabaseAsks);
        using var bench = new TrainingBench(network, set, validation, decoder, resize, options, folder.Root, progress, token);
        bool resumed = folder.IsResuming && File.Exists(folder.Checkpoint);
        if (!network.ClustersInitialised)
        {
            ClusterInitialisation.Initialise(network, bench.Describer, set.DatabaseCount, options, progress, token);
            // Its samples are the largest arrays that are no longer needed; the descriptors take their place.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        var needs = bench.Measure(network);
        progress.Line($"{set.Anchors.Count} queries to learn from, {set.Images.Count} images; {needs}");
        var miner = new TupleMiner(set, options);
        var state = new TrainingState();
        bool cached = false;
        if (resumed)
            (state, cached) = Checkpoint.Load(folder.Checkpoint, network.Device, bench.Trained, miner, options.RememberedNegatives, bench.Cache);
        else
            foreach (var p in bench.Trained)
                network.Device.Upload(new float[p.Length], p.Velocity);
        folder.Open(state.Lengths);
        if (!resumed)
            network.Save(folder.StartWeights);
        var run = new EpochRunner(network, set, bench, miner, state, options, new MinedSheet(training, set, decoder, folder), folder, progress);
        if (state.Epoch == 0)
        {
            if (set.WithoutPositive > 0)
                folder.Log($"{set.WithoutPositive} queries have no potential positive and are left out of training");
            Finish(run, state, bench.Validator.Evaluate(token));
        }
        while (state.Epoch <= options.Epochs && !HasStalled(state))
        {
            run.RunEpoch(cached, token);
            cached = false;
            Finish(run, state, bench.Validator.Evaluate(token));
        }
        Checkpoint.LoadBest(folder.BestWeights, bench.Trained);
        var best = bestReport ?? bench.Validator.Evaluate(token);
        bench.Forget();
        return new(state.BestEpoch, state.History, best, state.Epoch <= options.Epochs, needs);
    }

    /// <summary>Books an epoch's validation result, keeps its parameters if they are the best so far, and goes to the next epoch.</summary>
    private void Finish(EpochRunner run, TrainingState state, RecallReport report)
    {
        int[] hits = report.Signature();
        bool best = state.History.Count == 0 || RecallReport.CompareHits(hits, state.BestHits) > 0;
        var recalls = new SortedDictionary<int, double>(report.Depths.ToDictionary(n => n, report.Recall));
        var summary = new EpochSummary(
            state.Epoch, state.Tuples > 0 ? state.LossSum / state.Tuples : null, state.Tuples, state.Skipped,
            state.Epoch == 0 ? 0 : Schedule.LearningRate(options, state.Epoch), recalls);
        state.History.Add(summary);
        if (best)
        {
            state.BestEpoch = state.Epoch;
            state.BestHits = hits;
            bestReport = report;
            network.Save(folder.BestWeights);
        }
        folder.Metric(summary);
        foreach (int n in (int[])[1, 5, 10])
            folder.Scalar($"validation/recall@{n}", state.Epoch, report.Recall(n));
        Draw(state);
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {summary.Epoch}: loss {(summary.Loss is { } loss ? loss.ToString("0.00000", CultureInfo.InvariantCulture) : "-")}, {summary.Tuples} tuples, {summary.Skipped} skipped, recall@1/5/10 {100 * report.Recall(1):0.0}/{100 * report.Recall(5):0.0}/{100 * report.Recall(10):0.0} %{(best ? ", best so far" : "")}");
        folder.Log(line);
        progress.Line(line);
        state.Epoch++;
        state.Position = 0;
        state.Generator = "";
        (state.LossSum, state.Tuples, state.Skipped) = (0, 0, 0);
        run.Save();
    }

    private void Draw(TrainingState state)
    {
        Plots.Training(
            folder.TrainingPlot, $"Training on {training.Name}",
            [.. state.History.Select(e => new TrainingPoint(e.Epoch, e.Loss, e.Recalls[1], e.Recalls[5], e.Recalls[10]))], state.BestEpoch);
        var best = state.History[state.BestEpoch];
        Curve Of(string name, EpochSummary epoch) => new(name, [.. epoch.Recalls.Keys], [.. epoch.Recalls.Values]);
        Plots.Recall(folder.RecallPlot, $"Recall on {validation.Name}, {validation.Split}", [Of("before training", state.History[0]), Of($"best epoch, {best.Epoch}", best)]);
    }

    /// <summary>Whether recall@5 has last improved as many epochs ago as patience lasts.</summary>
    private bool HasStalled(TrainingState state)
    {
        if (options.Patience == 0)
            return false;
        double best = state.History.Max(e => e.Recalls[5]);
        return state.History[^1].Epoch - state.History.First(e => e.Recalls[5] == best).Epoch >= options.Patience;
    }
}
