using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Tests.Training;

/// <summary>The frozen-trunk cache changes what a run costs and nothing else.</summary>
[TestFixture]
public sealed class TrunkCache
{
    private const string From = "conv4";
    private const int TrainingImages = 4 * 24, ValidationImages = 4 * 12;

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("trunk").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static TrainingOptions Options => new()
    {
        LearningRate = 0.01f, Epochs = 2, NegativesPerTuple = 4, RandomNegatives = 20, RefreshInterval = 12, ClusterDescriptors = 400, Seed = 5, TrainFrom = From,
    };

    /// <summary>Counts what is decoded to be computed with, never larger than the images are; the sheets of what was mined show these small images enlarged.</summary>
    private sealed class Counting(SyntheticPlaces world) : IImageDecoder
    {
        private int decoded;

        public int Decoded => decoded;

        public (int Height, int Width) ReadSize(string path) => world.ReadSize(path);

        public PixelImage Decode(string path, ResizePolicy policy)
        {
            var image = world.Decode(path, policy);
            if (image.Height <= world.ReadSize(path).Height)
                Interlocked.Increment(ref decoded);
            return image;
        }
    }

    private (Counting Decoder, Quiet Progress) Train(string name, TrainingOptions options, Quiet? progress = null, CancellationToken token = default, ulong weights = 5, int validationHeight = 0)
    {
        var world = new SyntheticPlaces(36);
        var decoder = new Counting(world);
        progress ??= new();
        string path = Path.Combine(folder, name);
        using var run = Directory.Exists(path) ? RunFolder.Resume(path) : RunFolder.Create(path);
        using var network = File.Exists(run.StartWeights) ? Network.Load(Devices.Cpu, run.StartWeights) : Network.Create(Devices.Cpu, new() { Clusters = 6 }, weights);
        run.WriteSettings(options);
        new Trainer(network, world.Split("train", 0, 24), world.Split("val", 24, 12), decoder, ResizePolicy.Native, options, run, progress).Run(token);
        return (decoder, progress);
    }

    private byte[] Bytes(string run, string file) => File.ReadAllBytes(Path.Combine(folder, run, file));

    private void AssertSameRuns(string expected, string actual)
    {
        foreach (string file in (string[])["best.safetensors", "start.safetensors", "last.checkpoint", "metrics.jsonl", "log.txt"])
            Assert.That(Bytes(actual, file).AsSpan().SequenceEqual(Bytes(expected, file)), $"{file} of {actual}");
    }

    [Test]
    public void EveryMode_EndsWithTheSameBits_AndDecodesEachImageOnce()
    {
        // Not even the decoded pixels fit, so that each use without the cache would decode.
        var off = Train("off", Options with { TrunkCache = TrunkCacheMode.Off });
        var memory = Train("memory", Options with { TrunkCache = TrunkCacheMode.Memory });
        var disk = Train("disk", Options with { TrunkCache = TrunkCacheMode.Disk });
        var auto = Train("auto", Options);
        foreach (string run in (string[])["memory", "disk", "auto"])
            AssertSameRuns("off", run);
        foreach (var cached in (Counting[])[memory.Decoder, disk.Decoder, auto.Decoder])
            Assert.That(cached.Decoded, Is.EqualTo(TrainingImages + ValidationImages));
        Assert.That(off.Progress.Lines, Has.None.StartsWith("Trunk cache"));
        Assert.That(memory.Progress.Lines, Has.One.StartsWith("Trunk cache: in memory").And.Contains("fp32"));
        Assert.That(auto.Progress.Lines, Has.One.StartsWith("Trunk cache: in memory").And.Contains("fp32"), "nothing smaller unasked");
        Assert.That(disk.Progress.Lines, Has.One.StartsWith("Trunk cache: on disk").And.Contains("fp32"));
        Assert.That(Directory.GetFiles(Path.Combine(folder, "disk"), "*.maps"), Is.Empty, "a run that is over leaves none");
    }

    /// <summary>Stops inside the computing of maps, inside refreshes, between steps and in validation.</summary>
    [TestCase(TrunkCacheMode.Memory)]
    [TestCase(TrunkCacheMode.Disk)]
    public void Resume_EndsWithTheSameBits(TrunkCacheMode mode)
    {
        Train("whole", Options with { TrunkCache = TrunkCacheMode.Off });
        var options = Options with { TrunkCache = mode };
        int interruptions = 0, whole = 0, decoded;
        for (int limit = 4; ; limit += 4)
        {
            using var stop = new CancellationTokenSource();
            int calls = 0;
            var progress = new Quiet { OnAdvance = (_, _) => { if (++calls == limit) stop.Cancel(); } };
            try
            {
                decoded = Train("broken", options, progress, stop.Token).Decoder.Decoded;
                break;
            }
            catch (OperationCanceledException)
            {
                interruptions++;
                whole = Math.Max(whole, Directory.GetFiles(Path.Combine(folder, "broken"), "*.maps").Length);
            }
        }
        Assert.That(interruptions, Is.GreaterThan(4));
        Assert.That(whole, Is.EqualTo(mode == TrunkCacheMode.Disk ? 2 : 0), "files for the next try");
        Assert.That(decoded, mode == TrunkCacheMode.Disk ? Is.Zero : Is.Positive, "which then finds them");
        AssertSameRuns("whole", "broken");
    }

    [Test]
    public void Maps_AreFoundAgainOnlyWhereNothingTheyDependOnHasChanged()
    {
        using var network = Network.Create(Devices.Cpu, new() { Clusters = 6 }, 5);
        string file = Path.Combine(folder, "m.maps");
        var world = new SyntheticPlaces(4);
        string[] paths = [.. Enumerable.Range(0, 4).Select(i => Path.Combine(folder, $"{i}-0.jpg"))];
        foreach (string path in paths)
            File.WriteAllText(path, "x");
        Assert.That(Decoded(), Is.EqualTo(4));
        Assert.That(Decoded(), Is.Zero);
        File.SetLastWriteTimeUtc(paths[2], new(2020, 1, 1));
        Assert.That(Decoded(), Is.EqualTo(4), "another image");
        string behind = Path.Combine(folder, "behind");
        File.WriteAllText(behind, "y");
        File.Delete(paths[1]);
        File.CreateSymbolicLink(paths[1], behind);
        Assert.That(Decoded(), Is.EqualTo(4), "a link");
        Assert.That(Decoded(), Is.Zero);
        File.SetLastWriteTimeUtc(behind, new(2021, 1, 1));
        Assert.That(Decoded(), Is.EqualTo(4), "another image behind a link");
        Assert.That(Decoded(height: 28), Is.EqualTo(4), "another size");
        Assert.That(Decoded(height: 28, from: "conv3"), Is.EqualTo(4), "another layer");
        Assert.That(Decoded(height: 28, from: "conv3", half: true), Is.EqualTo(4), "another precision");
        Assert.That(Decoded(height: 28, from: "conv3", half: true), Is.Zero);
        using (var otherwise = Network.Create(Devices.Cpu, network.Settings with { Preprocessing = Preprocessing.Vgg }, 5))
            Assert.That(Decoded(height: 28, from: "conv3", half: true, other: otherwise), Is.EqualTo(4), "another preprocessing");
        var weight = network.Layers[0].Parameters[0];
        weight.Write([.. weight.Read().Select((x, i) => i == 9 ? x + 1e-6f : x)]);
        Assert.That(Decoded(height: 28, from: "conv3", half: true), Is.EqualTo(4), "another weight");
        using (var cut = new FileStream(file, FileMode.Open))
            cut.SetLength(cut.Length - 1);
        Assert.That(Decoded(height: 28, from: "conv3", half: true), Is.EqualTo(4), "half a file");

        int Decoded(int height = 32, string from = From, bool half = false, Network? other = null)
        {
            var used = other ?? network;
            var decoder = new Counting(world);
            var store = new ImageStore(paths, decoder, ResizePolicy.Exact(height, 48), 0);
            var shape = FrozenMaps.Shape(used, height, 48, from);
            using var maps = new FrozenMaps(used, store, from, new MapFile(file, 4, FrozenMaps.RowBytes(shape, half)), half);
            maps.Prepare(new Quiet(), default);
            Assert.That(new FileInfo(file).Length, Is.EqualTo(64 + 4 * FrozenMaps.RowBytes(shape, half)));
            var row = new float[shape.Length];
            maps.Read(new(3), row);
            // 11 bits: half a unit of the last is 2⁻¹² of the number, and 2⁻²⁵ where it is denormal.
            foreach (var (kept, computed) in row.Zip(Map(used, store.Pixels(3), from)))
                Assert.That(kept, Is.EqualTo(computed).Within(half ? Math.Abs(computed) / 2048 + 1f / (1 << 24) : 0));
            return decoder.Decoded - 1;
        }

        static float[] Map(Network network, PixelImage image, string from)
        {
            using var plan = network.Plan(PlanPart.Frozen, 1, image.Height, image.Width, from, training: false);
            var input = new float[3 * image.Height * image.Width];
            network.Settings.Preprocessing.Apply(image, input);
            Devices.Cpu.Upload(input, plan.Input);
            return Devices.Cpu.Download(plan.Forward(1));
        }
    }

    [Test]
    public void Fp16_IsTakenOnRequestAlone_AndRoundsALittle()
    {
        var (_, progress) = Train("half", Options with { TrunkCacheHalf = true });
        Train("single", Options);
        Assert.That(progress.Lines, Has.One.StartsWith("Trunk cache: in memory").And.Contains("fp16"));
        Assert.That(Bytes("half", "best.safetensors"), Is.Not.EqualTo(Bytes("single", "best.safetensors")));
    }

    [TestCase(TrunkCacheMode.Memory, null, false, "every layer learns")]
    [TestCase(TrunkCacheMode.Disk, "conv1", false, "every layer learns")]
    [TestCase(TrunkCacheMode.Disk, From, true, "mirrored tuples are other images")]
    public void WhatCannotBe_IsRefusedInOneSentence(TrunkCacheMode mode, string? from, bool flips, string reason)
    {
        var options = Options with { TrunkCache = mode, TrainFrom = from, Flips = flips };
        Assert.That(() => Train("run", options), Throws.TypeOf<UserErrorException>().With.Message.Contains(reason).And.Message.EndsWith("."));
        Assert.That(() => Train("auto", Options with { Epochs = 0, TrainFrom = from, Flips = flips }), Throws.Nothing, "auto leaves it out");
        Assert.That(() => Train("none", Options with { TrunkCache = TrunkCacheMode.Off, TrunkCacheHalf = true }), Throws.TypeOf<UserErrorException>());
    }

    [Test]
    public void Auto_TakesMemoryWhereItFitsWell_ElseDisk()
    {
        var lines = new List<string>();
        // Half a gigabyte for all is no matter; a byte more than what the disk's way needs is too little for maps in memory.
        foreach (long limit in (long[])[1L << 29, Needed(TrunkCacheMode.Disk)])
            lines.AddRange(Train($"run{limit}", Options with { Epochs = 0, MemoryLimit = limit }).Progress.Lines.Where(l => l.StartsWith("Trunk", StringComparison.Ordinal)));
        Assert.That(lines, Has.Count.EqualTo(2));
        Assert.That(lines[0], Does.StartWith("Trunk cache: in memory"));
        Assert.That(lines[1], Does.StartWith("Trunk cache: on disk"));
    }

    private long Needed(TrunkCacheMode mode)
    {
        var refused = Assert.Throws<UserErrorException>(() => Train("probe", Options with { TrunkCache = mode, MemoryLimit = 1 }))!;
        return long.Parse(System.Text.RegularExpressions.Regex.Match(refused.Message, @"needs (\d+) MB").Groups[1].Value) << 20;
    }
}
