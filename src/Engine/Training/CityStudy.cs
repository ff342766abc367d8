using System.Diagnostics;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// The whole method on a machine without any data (what <c>train</c> does without arguments): renders the city, scores the baselines and NetVLAD on a trunk as
/// initialised, trains NetVLAD, scores it again.
/// </summary>
public static class CityStudy
{
    /// <param name="cityFolder">Where the city is, or will be, written.</param>
    /// <param name="run">The training's folder; a resumed one goes on where it was.</param>
    /// <exception cref="OperationCanceledException">City and checkpoint stay for the next try.</exception>
    public static CityStudyResult Run(
        Device device, string cityFolder, RunFolder run, CityStudyOptions options, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        var watch = Stopwatch.StartNew();
        progress.Begin("Rendering the city", 0, "pictures");
        CityWriter.Write(cityFolder, options.City, (done, _) => progress.Advance(done), token);
        var training = Open(cityFolder, "train", options);
        var validation = Open(cityFolder, "val", options);
        var test = Open(cityFolder, "test", options);
        ulong seed = options.Training.Seed;
        RecallReport Baseline(PoolingKind pooling)
        {
            using var baseline = Network.Create(device, options.Network with { Pooling = pooling }, seed);
            return Score(baseline, test, decoder, progress, token);
        }

        bool resumed = run.IsResuming && File.Exists(run.StartWeights);
        using var network = resumed ? Network.Load(device, run.StartWeights) : Network.Create(device, options.Network, seed);
        var max = Baseline(PoolingKind.Max);
        var average = Baseline(PoolingKind.Average);
        var trained = new Trainer(network, training, validation, decoder, options.Network.Resize, options.Training, run, progress).Run(token);
        var after = Score(network, test, decoder, progress, token);
        using var start = Network.Load(device, run.StartWeights);
        var before = Score(start, test, decoder, progress, token);
        return new(test, max, average, before, after, trained, run.BestWeights, watch.Elapsed.TotalSeconds);
    }

    private static Dataset Open(string folder, string split, CityStudyOptions options) => DatasetReader.Open(folder, split, options.Training.Rules);

    private static RecallReport Score(Network network, Dataset test, IImageDecoder decoder, IProgressSink progress, CancellationToken token)
    {
        const int batch = 32;
        DescriptorMatrix Rows(IReadOnlyList<ImageRecord> images)
            => Extractor.Extract(network, [.. images.Select(i => i.Path)], decoder, network.Settings.Resize, batch, progress, token);
        return Evaluation.Evaluate(network.Device, test, Rows(test.Database), Rows(test.Queries));
    }
}
