namespace IlgpuNetVlad.Tests.App;

/// <summary><c>study</c>, as a user runs it.</summary>
[TestFixture]
public sealed class StudyCommand
{
    private const string Cell = "max-all-seed2";

    private string root = "";

    [OneTimeSetUp]
    public void RunOnce()
    {
        root = Directory.CreateDirectory(Path.Combine(SmallCity.Root.FullName, "study")).FullName;
        Study("whole", Settings()).Done();
    }

    private static string Settings(string title = "Small city") => $$"""
        {
          // Comments may stand in it.
          "title": "{{title}}",
          "dataset": "{{SmallCity.Folder.Replace('\\', '/')}}",
          "tests": [ { "name": "test", "split": "test" }, { "name": "val", "split": "val" } ],
          "training": { "epochs": 1, "refreshInterval": 5, "tuplesPerBatch": 2, "negativesPerTuple": 3, "learningRate": 0.003 },
          "pooling": [ "max", "netVlad" ], "clusters": [ 4 ], "seeds": [ 1, 2 ],
          "dimensions": [ 64, 8 ]
        }
        """;

    private Netvlad Study(string folder, string settings)
    {
        string file = Path.Combine(root, folder + ".json");
        File.WriteAllText(file, settings);
        return Netvlad.Run("study", file, "--output", Path.Combine(root, folder), "--device", "cpu", "--json");
    }

    private string Table(string folder) => File.ReadAllText(Path.Combine(root, folder, "table.md"));

    [Test]
    public void TheTableHasEveryRowOfEveryTest()
    {
        string table = Table("whole");
        foreach (string row in (string[])["| max, as initialised |", "| max, trained |", "| netvlad, K = 4, as initialised |", "| netvlad, K = 4, trained |"])
            Assert.That(table.Split(row), Has.Length.GreaterThanOrEqualTo(3), row);
        Assert.That(table, Does.Contain("## test: 12 queries").And.Contain("## val: 8 queries").And.Contain("the best").And.Contain(" ± ").And.Contain("recall@1 after PCA"));
        foreach (string file in (string[])["results.json", "recall.png", "dimensions.png", "settings.json", $"cells/{Cell}/answers.png", $"cells/{Cell}/failures-before.png", $"cells/{Cell}/failures-after.png", $"cells/{Cell}/mined-first.png", $"cells/{Cell}/best.safetensors"])
            Assert.That(new FileInfo(Path.Combine(root, "whole", file)), Has.Length.GreaterThan(100), file);
    }

    [Test]
    public void ASecondRunMakesNothingAnew_AndWritesTheSame()
    {
        string table = Table("whole"), weights = Path.Combine(root, "whole", "cells", Cell, "measurements.json");
        var written = File.GetLastWriteTimeUtc(weights);
        var again = Study("whole", Settings()).Done();
        Assert.That(again.Errors, Does.Not.Contain("Cell "));
        Assert.That(File.GetLastWriteTimeUtc(weights), Is.EqualTo(written));
        Assert.That(Table("whole"), Is.EqualTo(table));
        Assert.That(again.Json().GetProperty("tests")[0].GetProperty("rows").GetArrayLength(), Is.EqualTo(4));
    }

    /// <summary>Another folder, the last cell lost half way: the same table and figures, bit for bit.</summary>
    [Test]
    public void RepeatedFromItsSettings_EvenInPieces_ItGivesTheSameFiles()
    {
        Study("again", Settings()).Done();
        string lost = Path.Combine(root, "again", "cells", Cell);
        File.Delete(Path.Combine(lost, "measurements.json"));
        Directory.Delete(Path.Combine(root, "again", "cells", "netvlad-k4-all-seed1"), recursive: true);
        Assert.That(Study("again", Settings()).Done().Errors, Does.Contain("Cell 2 of 4").And.Contain("Cell 3 of 4").And.Not.Contain("Cell 1 of 4"));
        foreach (string file in (string[])["table.md", "results.json", "recall.png", "dimensions.png"])
            Assert.That(File.ReadAllBytes(Path.Combine(root, "again", file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(root, "whole", file))), file);
    }

    [Test]
    public void OtherSettingsInTheSameFolderAreRefused()
        => Assert.That(Study("whole", Settings("Another")).Refused(), Does.Contain("other settings").And.Contain("--output"));

    /// <summary>The city has no positives of a query's own time: said before the first training, not when its turn comes.</summary>
    [Test]
    public void WhatCannotBeTrained_IsRefusedBeforeTheFirstCell()
    {
        var refused = Study("untrainable", Settings().Replace("\"seeds\"", "\"timeMachine\": [ true, false ], \"seeds\""));
        Assert.That(refused.Refused(), Does.Contain("own time"));
        Assert.That(refused.Errors, Does.Not.Contain("Cell "));
    }

    [TestCase("{", "cannot be used")]
    [TestCase("""{ "title": "x", "tests": [], "dataset": "d" }""", "at least one test")]
    [TestCase("""{ "title": "x", "tests": [ { "name": "a", "split": "test" } ] }""", "either a dataset or a city")]
    [TestCase("""{ "title": "x", "dataset": "d", "tests": [ { "name": "a", "split": "test" } ], "poolings": [] }""", "poolings")]
    [TestCase("""{ "title": "x", "dataset": "d", "tests": [ { "name": "a", "split": "test" } ], "seeds": [] }""", "may be empty")]
    [TestCase("""{ "title": "x", "dataset": "d", "tests": [ { "name": "a", "split": "test" } ], "seeds": [ 1, 1 ] }""", "twice")]
    public void WrongSettingsAreRefusedInOneSentence(string settings, string part)
        => Assert.That(Study("wrong", settings).Refused(), Does.Contain(part));

    [Test]
    public void AMissingSettingsFileIsNamed()
        => Assert.That(Netvlad.Run("study", "nowhere.json").Refused(), Does.Contain("nowhere.json"));
}
