using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Training;

/// <summary>Whole runs on a tiny world.</summary>
[TestFixture]
public sealed class EndToEnd
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("train").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static TrainingOptions Options => new()
    {
        LearningRate = 0.01f, Epochs = 4, NegativesPerTuple = 5, RandomNegatives = 50, RefreshInterval = 30, ClusterDescriptors = 1000, Seed = 3,
    };

    private static NetworkSettings Settings => new() { Clusters = 8 };

    private TrainingResult Train(
        string name, TrainingOptions options, Device? device = null, NetworkSettings? settings = null, bool resume = false, Quiet? progress = null,
        CancellationToken token = default, Action<Network>? spoil = null)
    {
        var world = new SyntheticPlaces(60);
        string path = Path.Combine(folder, name);
        using var run = resume ? RunFolder.Resume(path) : RunFolder.Create(path);
        using var network = resume && File.Exists(run.StartWeights)
            ? Network.Load(device ?? Devices.Cpu, run.StartWeights)
            : Network.Create(device ?? Devices.Cpu, settings ?? Settings, options.Seed);
        spoil?.Invoke(network);
        run.WriteSettings(options);
        return new Trainer(network, world.Split("train", 0, 40), world.Split("val", 40, 20), world, ResizePolicy.Native, options, run, progress ?? new()).Run(token);
    }

    [Test]
    public void Training_LowersTheLossAndRaisesRecall()
    {
        var result = Train("run", Options with { Epochs = 8 });
        var history = result.History;
        Assert.That(history.Last(e => e.Loss is not null).Loss, Is.LessThan(0.9 * history[1].Loss!.Value), "though the negatives get harder");
        Assert.That(result.Best.Recall(1), Is.GreaterThan(history[0].Recalls[1] + 0.25));
        Assert.That(result.BestEpoch, Is.Positive);
    }

    /// <summary>Interrupts a run at many points: inside a refresh, between steps, in validation; what it ends with must be the bits of a run that was left alone.</summary>
    [Test]
    public void Resume_EqualsARunThatWasNeverInterrupted([Values] bool decodedEachTime)
    {
        var options = Options with { Flips = true, Scales = [1, 0.75f], MemoryLimit = decodedEachTime ? 0 : null };
        if (decodedEachTime)
            options = options with { MemoryLimit = SmallestMemory(options) };
        Train("whole", options);
        int interruptions = 0;
        for (int limit = 3; ; limit += 4)
        {
            using var stop = new CancellationTokenSource();
            int calls = 0;
            var progress = new Quiet { OnAdvance = (_, _) => { if (++calls == limit) stop.Cancel(); } };
            try
            {
                Train("broken", options, resume: interruptions > 0, progress: progress, token: stop.Token);
                break;
            }
            catch (OperationCanceledException)
            {
                interruptions++;
            }
        }
        Assert.That(interruptions, Is.GreaterThan(8));
        AssertSameFiles("whole", "broken");
    }

    /// <summary>Pixels stay in memory where they are used again and fit, and the user is told.</summary>
    [Test]
    public void DecodedImages_AreKeptWhereThatPays_AndAnnounced()
    {
        var options = Options with { Epochs = 1, RefreshInterval = 200, LearningRate = 1e-4f };
        Assert.That(Lines("kept", options), Is.EqualTo(new[] { "Decoded images: 2 MB of 8-bit pixels in memory" }));
        Assert.That(Lines("again", options with { MemoryLimit = SmallestMemory(options) }), Has.One.EndsWith("do not fit"));
        Assert.That(Lines("maps", options with { TrainFrom = "conv4" }), Is.Empty, "pixels are read once");
        Assert.That(Lines("validation", options with { Epochs = 0 }), Is.Empty, "and here too");
        AssertSameFiles("kept", "again");

        string[] Lines(string name, TrainingOptions options)
        {
            var progress = new Quiet();
            Train(name, options, progress: progress);
            return [.. progress.Lines.Where(l => l.StartsWith("Decoded", StringComparison.Ordinal))];
        }
    }

    [Test]
    public void Run_GivesTheSameBitsForAnyNumberOfThreads()
    {
        using var one = Device.Cpu(1);
        using var three = Device.Cpu(3);
        Train("one", Options with { Epochs = 2 }, one);
        Train("three", Options with { Epochs = 2 }, three);
        AssertSameFiles("one", "three");
    }

    /// <summary>Batches copied ahead, two updates under way, decided by the device: in files of the same bits; interrupted too.</summary>
    [Test]
    public void Run_GivesTheSameBitsOnADeviceThatWorksBesideTheHost()
    {
        using var beside = Device.Cpu(2, worksBesideHost: true);
        var options = Options with { Epochs = 2, Scales = [1, 0.75f] };
        Train("together", options);
        using var stop = new CancellationTokenSource();
        int calls = 0;
        var progress = new Quiet { OnAdvance = (_, _) => { if (++calls == 60) stop.Cancel(); } };
        Assert.That(() => Train("beside", options, beside, progress: progress, token: stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Train("beside", options, beside, resume: true);
        AssertSameFiles("together", "beside");
    }

    [Test]
    public void Run_AnotherSeedGivesAnotherRun()
    {
        Train("first", Options with { Epochs = 1 });
        Train("second", Options with { Epochs = 1, Seed = 4 });
        Assert.That(File.ReadAllBytes(Path.Combine(folder, "second", "metrics.jsonl")), Is.Not.EqualTo(File.ReadAllBytes(Path.Combine(folder, "first", "metrics.jsonl"))));
    }

    [TestCase(LossKind.Weak, UpdateNormaliser.Selected, PoolingKind.NetVladV2)]
    [TestCase(LossKind.Triplet, UpdateNormaliser.Tuples, PoolingKind.Max)]
    [TestCase(LossKind.Contrastive, UpdateNormaliser.One, PoolingKind.Average)]
    public void Run_WorksWithEveryLossNormaliserAndPooling(LossKind loss, UpdateNormaliser normaliser, PoolingKind pooling)
    {
        var options = Options with { Epochs = 1, Loss = loss, Normaliser = normaliser, NegativesPerTuple = loss == LossKind.Triplet ? 1 : 5, SwapRoles = true };
        var result = Train("run", options, settings: Settings with { Pooling = pooling });
        Assert.That(result.History[1].Loss, Is.Positive);
        Assert.That(result.History[1].Tuples, Is.Positive);
    }

    [Test]
    public void TrainFrom_LeavesEarlierLayersAlone()
    {
        var changed = new List<string>();
        var result = Train("run", Options with { Epochs = 1, TrainFrom = "conv4" });
        using var start = Network.Load(Devices.Cpu, Path.Combine(folder, "run", "start.safetensors"));
        using var best = Network.Load(Devices.Cpu, Path.Combine(folder, "run", "best.safetensors"));
        Assert.That(result.BestEpoch, Is.EqualTo(1));
        foreach (var (before, after) in start.Parameters.Zip(best.Parameters))
            if (!before.Read().SequenceEqual(after.Read()))
                changed.Add(before.Layer);
        Assert.That(changed.Distinct(), Is.EqualTo(new[] { "features.8", "pool" }));
    }

    /// <summary>Steps far too long lose what the start could do, so the best epoch is not the last.</summary>
    [Test]
    public void Network_EndsWithTheBestEpochsParameters()
    {
        var options = Options with { Epochs = 2, LearningRate = 0.5f };
        var world = new SyntheticPlaces(60);
        using var run = RunFolder.Create(Path.Combine(folder, "run"));
        using var network = Network.Create(Devices.Cpu, Settings, options.Seed);
        var result = new Trainer(network, world.Split("train", 0, 40), world.Split("val", 40, 20), world, ResizePolicy.Native, options, run, new Quiet()).Run();
        Assert.That(result.BestEpoch, Is.LessThan(2));
        using var best = Network.Load(Devices.Cpu, run.BestWeights);
        foreach (var (kept, now) in best.Parameters.Zip(network.Parameters))
            Assert.That(now.Read(), Is.EqualTo(kept.Read()), now.Name);
    }

    [Test]
    public void Divergence_NamesWhereAndKeepsTheLastGoodCheckpoint()
    {
        var thrown = Assert.Throws<TrainingDiverged>(() => Train("run", Options with { LearningRate = 1e30f }))!;
        Assert.That(thrown.Message, Does.Contain("NaN or infinity").And.Contains(thrown.Where).And.Contains("lower the learning rate"));
        Assert.That(thrown.Where, Does.Contain("features.").Or.Contains("pool."));
        using var kept = Network.Load(Devices.Cpu, Path.Combine(folder, "run", "best.safetensors"));
        Assert.That(kept.Parameters.SelectMany(p => p.Read()), Has.All.Matches<float>(float.IsFinite));
        Assert.That(File.Exists(Path.Combine(folder, "run", "last.checkpoint")));
    }

    [Test]
    public void Memory_TooLittleIsRefusedWithWhatToChange()
        => Assert.That(() => Train("run", Options with { MemoryLimit = 1 << 20 }),
            Throws.TypeOf<UserErrorException>().With.Message.Contains("fewer tuples a batch").And.Message.Contains("MB are free"));

    [Test]
    public void Steps_AllocateNothingOnTheDevice_AndLittleBesides()
    {
        // A line of metrics, two of events, what a launch of a kernel's threads costs: nothing that grows with images or maps.
        const long managedBytes = 64 << 10;
        using var device = Device.Cpu(2);
        var counts = new List<int>();
        var managed = new List<long>();
        int during = -1;
        long before = 0;
        string last = "";
        var progress = new Watch((what, done) =>
        {
            if (!what.EndsWith(": training", StringComparison.Ordinal))
                return;
            if (last == what && done > 1)
            {
                counts.Add(device.AllocationCount - during);
                managed.Add(GC.GetTotalAllocatedBytes(precise: true) - before);
            }
            (during, last, before) = (device.AllocationCount, what, GC.GetTotalAllocatedBytes(precise: true));
        });
        var world = new SyntheticPlaces(60);
        using var run = RunFolder.Create(Path.Combine(folder, "run"));
        using var network = Network.Create(device, Settings, 1);
        new Trainer(network, world.Split("train", 0, 40), world.Split("val", 40, 20), world, ResizePolicy.Native, Options with { Epochs = 1 }, run, progress).Run();
        Assert.That(counts, Has.Count.GreaterThan(5));
        Assert.That(counts, Has.All.Zero);
        TestContext.Out.WriteLine($"managed bytes a step: {string.Join(", ", managed)}");
        Assert.That(managed, Has.All.LessThan(managedBytes));
    }

    [Test]
    public void Files_TellOfTheRun()
    {
        Train("run", Options with { Epochs = 1 });
        var lines = File.ReadAllLines(Path.Combine(folder, "run", "metrics.jsonl"));
        Assert.That(lines[0], Does.StartWith("{\"epoch\":0,"));
        Assert.That(lines[1], Does.StartWith("{\"step\":1,\"epoch\":1,\"loss\":"));
        Assert.That(lines[^1], Does.StartWith("{\"epoch\":1,").And.Contains("\"recalls\":{\"1\":"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "run", "log.txt")), Does.Contain("epoch 1: loss"));
        foreach (string file in (string[])["events.out.tfevents.*", "training.png", "recall.png", "settings.json"])
            Assert.That(Directory.GetFiles(Path.Combine(folder, "run"), file), Has.Length.EqualTo(1), file);
        Assert.That(() => RunFolder.Create(Path.Combine(folder, "run")), Throws.TypeOf<UserErrorException>().With.Message.Contains("--resume"));
    }

    /// <summary>Just enough for everything but the decoded images, so that those are read again and again.</summary>
    private long SmallestMemory(TrainingOptions options)
    {
        var refused = Assert.Throws<UserErrorException>(() => Train("probe", options with { MemoryLimit = 1 }))!;
        long megabytes = long.Parse(System.Text.RegularExpressions.Regex.Match(refused.Message, @"needs (\d+) MB").Groups[1].Value);
        return megabytes << 20;
    }

    private void AssertSameFiles(string a, string b)
    {
        foreach (string file in (string[])["best.safetensors", "start.safetensors", "last.checkpoint", "metrics.jsonl", "log.txt", "mined-first.png", "mined-last.png"])
            if (File.Exists(Path.Combine(folder, a, file)) || file != "mined-last.png")
            Assert.That(File.ReadAllBytes(Path.Combine(folder, b, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder, a, file))), file);
    }

    private sealed class Watch(Action<string, long> onAdvance) : IProgressSink
    {
        private string what = "";

        public void Begin(string what, long total, string unit) => this.what = what;

        public void Advance(long done) => onAdvance(what, done);

        public void Line(string text)
        {
        }
    }
}
