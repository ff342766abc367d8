using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>train</c> from end to end.</summary>
[TestFixture, Parallelizable]
public sealed class TrainCommand
{
    [Test]
    public void ARunLeavesEverythingInItsFolder()
    {
        foreach (string name in (string[])["settings.json", "log.txt", "metrics.jsonl", "start.safetensors", "best.safetensors", "last.checkpoint", "training.png", "recall.png", "mined-first.png", "mined-last.png"])
            Assert.That(new FileInfo(Path.Combine(SmallCity.Run, name)), Has.Length.Positive, name);
        Assert.That(Directory.GetFiles(SmallCity.Run, "*tfevents*"), Is.Not.Empty);
        foreach (string line in File.ReadLines(Path.Combine(SmallCity.Run, "metrics.jsonl")))
            System.Text.Json.JsonDocument.Parse(line).Dispose();
    }

    /// <summary>From random weights the city's settings stand in for those that nobody gave.</summary>
    [Test]
    public void WhatWasGivenGoesBeforeTheDefaultsOfSuchARun()
    {
        var options = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(SmallCity.Run, "settings.json"))).RootElement.GetProperty("options");
        Assert.That((options.GetProperty("margin").GetSingle(), options.GetProperty("randomNegatives").GetInt32()), Is.EqualTo((0.5f, 20)), "left out");
        Assert.That((options.GetProperty("epochs").GetInt32(), options.GetProperty("refreshInterval").GetInt32(), options.GetProperty("databaseAsks").GetBoolean()), Is.EqualTo((2, 5, false)), "given");
    }

    [Test]
    public void AFinishedRunIsNotOverwrittenButResumed()
    {
        byte[] before = File.ReadAllBytes(SmallCity.Weights);
        Assert.That(Netvlad.Run("train", SmallCity.Folder, "--output", SmallCity.Run).Refused(), Does.Contain("--resume"));
        var resumed = Netvlad.Run("train", "--resume", SmallCity.Run, "--json").Done().Json();
        Assert.That(resumed.GetProperty("epochs").GetArrayLength(), Is.EqualTo(3));
        Assert.That(File.ReadAllBytes(SmallCity.Weights), Is.EqualTo(before));
    }

    [Test]
    public void TheSameSeedGivesTheSameWeights()
    {
        using var folder = new TemporaryFolder();
        Netvlad.Run(["train", SmallCity.Folder, "--output", folder["again"], .. SmallCity.ShortTraining]).Done();
        foreach (string name in (string[])["best.safetensors", "start.safetensors", "last.checkpoint", "metrics.jsonl", "log.txt"])
            Assert.That(File.ReadAllBytes(Path.Combine(folder["again"], name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(SmallCity.Run, name))), name);
    }

    [Test]
    public void CtrlCEndsAtASafePointAndTheRunGoesOn()
    {
        using var folder = new TemporaryFolder();
        string[] longer = [.. SmallCity.ShortTraining.Select((a, i) => i > 0 && SmallCity.ShortTraining[i - 1] == "--epochs" ? "60" : a)];
        var stopped = Netvlad.Start(null, ["train", SmallCity.Folder, "--output", folder["run"], .. longer])
            .WaitFor("epoch 1:").Interrupt().Finish();
        Assert.That(stopped.Refused(), Does.Contain("Stopped"));
        Assert.That(File.Exists(Path.Combine(folder["run"], "last.checkpoint")));
        var again = Netvlad.Start(null, "train", "--resume", folder["run"]).WaitFor("epoch 2:").Interrupt().Finish();
        Assert.That(again.Errors, Does.Not.Contain("epoch 1:"));
    }

    [Test]
    public void AnOutputFolderThatCannotBeWrittenIsNamed()
    {
        using var folder = new TemporaryFolder();
        string below = Path.Combine(folder.Write("file", "x"), "run");
        Assert.That(Netvlad.Run(["train", SmallCity.Folder, "--output", below, .. SmallCity.ShortTraining]).Refused(), Does.Contain(below).And.Contain("--output"));
    }

    [Test]
    public void AFolderWithoutARunCannotBeResumed()
        => Assert.That(Netvlad.Run("train", "--resume", SmallCity.Folder).Refused(), Does.Contain("no training run"));

    [Test]
    public void TooLittleMemoryIsRefusedWithWhatToChange()
    {
        using var folder = new TemporaryFolder();
        Assert.That(
            Netvlad.Run(["train", SmallCity.Folder, "--output", folder["run"], .. SmallCity.ShortTraining, "--memory", "20"]).Refused(),
            Does.Contain("MB").And.Contain("smaller"));
    }

    [Test]
    public void AMissingDatasetAndAMissingLayerAreNamed()
    {
        using var folder = new TemporaryFolder();
        Assert.That(Netvlad.Run("train", "/there/is/none", "--output", folder["a"]).Refused(), Does.Contain("/there/is/none"));
        Assert.That(Netvlad.Run(["train", SmallCity.Folder, "--output", folder["b"], .. SmallCity.ShortTraining, "--train-from", "conv9"]).Refused(), Does.Contain("conv9").And.Contain("conv1"));
    }
}
