namespace IlgpuNetVlad.Tests.App;

/// <summary><c>study</c>, as a user runs it.</summary>
[TestFixture, Parallelizable]
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

    /// <summary>Another folder, cells lost half way or altogether: every file has the same bytes, but for TensorBoard's, which tell the time.</summary>
    [Test]
    public void RepeatedFromItsSettings_EvenInPieces_ItGivesTheSameFiles()
    {
        Study("again", Settings()).Done();
        string lost = Path.Combine(root, "again", "cells", Cell);
        File.Delete(Path.Combine(lost, "measurements.json"));
        Directory.Delete(Path.Combine(root, "again", "cells", "netvlad-k4-all-seed1"), recursive: true);
        Assert.That(Study("again", Settings()).Done().Errors, Does.Contain("Cell 2 of 4").And.Contain("Cell 3 of 4").And.Not.Contain("Cell 1 of 4"));
        AssertSame("again", "whole", Files("whole"));
    }

    /// <summary>A study of one seed, one pooling, one test and one length, asked for all of them afterwards: what it trained stays, and the end is that of a study which was whole from the start.</summary>
    [Test]
    public void ListsThatGrow_KeepFinishedCells()
    {
        const string kept = "netvlad-k4-all-seed2/best.safetensors";
        string less = Settings("A part").Replace("\"max\", ", "").Replace("[ 1, 2 ]", "[ 2 ]").Replace(", { \"name\": \"val\", \"split\": \"val\" }", "").Replace("[ 64, 8 ]", "[ 8 ]");
        Study("grown", less).Done();
        var trained = File.GetLastWriteTimeUtc(Path.Combine(root, "grown", "cells", kept));
        Assert.That(Study("grown", Settings()).Done().Errors, Does.Contain("Cell 1 of 4"));
        Assert.That(File.GetLastWriteTimeUtc(Path.Combine(root, "grown", "cells", kept)), Is.EqualTo(trained));
        AssertSame("grown", "whole", Files("whole").Where(f => !f.Contains("seed2")));
        AssertSame("grown", "whole", [Path.Combine("cells", kept)]);
    }

    [Test]
    public void OtherSettingsInTheSameFolderAreRefused_AndWhatDiffersIsNamed()
        => Assert.That(
            Study("whole", Settings().Replace("\"epochs\": 1", "\"epochs\": 2").Replace("[ 1, 2 ]", "[ 1 ]")).Refused(),
            Does.Contain("other settings").And.Contain("training.epochs: 1 there, 2 here").And.Contain("seeds: [1,2] there, [1] here").And.Contain("--output"));

    private string[] Files(string folder)
    {
        string at = Path.Combine(root, folder);
        return [.. Directory.GetFiles(at, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(at, f)).Where(f => !f.Contains("tfevents"))];
    }

    private void AssertSame(string one, string other, IEnumerable<string> files)
    {
        foreach (string file in files)
            Assert.That(File.ReadAllBytes(Path.Combine(root, one, file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(root, other, file))), file);
    }

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
    [TestCase("""{ "title": "x", "dataset": "d", "tests": [ { "name": "a", "split": "fold" } ] }""", "there are no folds")]
    [TestCase("""{ "title": "x", "dataset": "d", "folds": { "count": 1, "validation": 3 }, "tests": [ { "name": "a", "split": "fold" } ] }""", "at least 2 folds")]
    [TestCase("""{ "title": "x", "dataset": "d", "folds": { "count": 2, "validation": 3 }, "tests": [ { "name": "a", "split": "0-3" } ] }""", "fold or fold/all")]
    [TestCase("""{ "title": "x", "dataset": "d", "folds": { "count": 2, "validation": 3 }, "trainingSplit": "0-3", "tests": [ { "name": "a", "split": "fold" } ] }""", "leave trainingSplit")]
    [TestCase("""{ "title": "x", "city": { }, "folds": { "count": 2, "validation": 3 }, "tests": [ { "name": "a", "split": "fold" } ] }""", "a city is not")]
    public void WrongSettingsAreRefusedInOneSentence(string settings, string part)
        => Assert.That(Study("wrong", settings).Refused(), Does.Contain(part));

    [Test]
    public void AMissingSettingsFileIsNamed()
        => Assert.That(Netvlad.Run("study", "nowhere.json").Refused(), Does.Contain("nowhere.json"));

    /// <summary>Copies of the finished study, so that nothing is trained.</summary>
    /// <returns>The settings files.</returns>
    private string[] Copies(string folder, params string[] names)
    {
        foreach (string name in names)
        {
            foreach (string file in Files("whole"))
            {
                string copy = Path.Combine(root, folder, name, file);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(Path.Combine(root, "whole", file), copy);
            }
            File.WriteAllText(Path.Combine(root, folder, name + ".json"), Settings());
        }
        return [.. names.Select(n => Path.Combine(root, folder, n + ".json"))];
    }

    private Netvlad RunAll(string folder, string[] settings, params string[] more)
        => Netvlad.Run(["study", .. settings, "--output", Path.Combine(root, folder), "--device", "cpu", "--json", .. more]);

    [Test]
    public void SeveralStudiesRunInTurn_EachInItsFolder_AndAreHeldToTablesThatWereKept()
    {
        string[] settings = Copies("several", "one", "two");
        string tables = Directory.CreateDirectory(Path.Combine(root, "several-tables")).FullName;
        foreach (string name in (string[])["one", "two"])
            File.WriteAllText(Path.Combine(tables, name + ".md"), Table("whole"));
        var same = RunAll("several", settings, "--against", tables).Done();
        Assert.That(same.Errors, Does.Contain("Study 1 of 2").And.Contain("Study 2 of 2").And.Not.Contain("Cell "));
        var studies = same.Json().GetProperty("studies").EnumerateArray().ToArray();
        Assert.That(studies.Select(s => Path.GetFileName(s.GetProperty("folder").GetString())), Is.EqualTo((string[])["one", "two"]));
        Assert.That(studies.Select(s => s.GetProperty("sameTable").GetBoolean()), Is.All.True);

        string[] lines = Table("whole").Split('\n');
        int row = Array.FindIndex(lines, l => l.StartsWith("| max", StringComparison.Ordinal));
        lines[row] = lines[row].Replace("| max", "| min");
        File.WriteAllText(Path.Combine(tables, "two.md"), string.Join('\n', lines));
        var other = RunAll("several", settings, "--against", tables);
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Errors, Does.Contain($"two.md: line {row + 1} has '| max").And.Contain("where that has '| min").And.Not.Contain("one.md"));
        Assert.That(other.Json().GetProperty("studies").EnumerateArray().Select(s => s.GetProperty("sameTable").GetBoolean()), Is.EqualTo((bool[])[true, false]));
    }

    [Test]
    public void WhatTheLastOfSeveralStudiesLacks_IsSaidBeforeTheFirstOneStarts()
    {
        string[] settings = Copies("lacking", "one", "two");
        File.WriteAllText(settings[0], Settings("New").Replace("[ 1, 2 ]", "[ 1, 2, 3 ]"));
        File.WriteAllText(settings[1], Settings().Replace("\"training\"", "\"network\": { \"weights\": \"nowhere.safetensors\" }, \"training\""));
        Directory.Delete(Path.Combine(root, "lacking", "two"), recursive: true);
        var refused = RunAll("lacking", settings);
        Assert.That(refused.Refused(), Does.Contain("nowhere.safetensors"));
        Assert.That(refused.Errors, Does.Not.Contain("Study 1").And.Not.Contain("Cell "));
        Assert.That(RunAll("lacking", settings, "--against", root).Refused(), Does.Contain("one.md").And.Contain("--against"));
        Assert.That(RunAll("lacking", [settings[0], settings[0]]).Refused(), Does.Contain("called one"));
    }
}
