using System.Text.Json;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>study</c> with folds, on a set with listed truth.</summary>
[TestFixture, Parallelizable]
public sealed class StudyFolds
{
    private const int Pictures = 12;

    private string root = "", set = "";

    [OneTimeSetUp]
    public void RunOnce()
    {
        root = Directory.CreateDirectory(Path.Combine(SmallCity.Root.FullName, "folds")).FullName;
        set = Set("set", i => [i]);
        Netvlad.Run("study", Settings("whole", set), "--output", Path.Combine(root, "whole"), "--device", "cpu", "--json").Done();
    }

    /// <summary>Pictures of the city under numbers: which place they show does not matter here.</summary>
    /// <param name="truth">Database pictures that answer a query.</param>
    private string Set(string name, Func<int, int[]> truth)
    {
        string folder = Path.Combine(root, name);
        foreach (string side in (string[])["database", "query"])
        {
            Directory.CreateDirectory(Path.Combine(folder, side));
            string[] from = [.. Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", side == "query" ? "queries" : side)).Order(StringComparer.Ordinal)];
            for (int i = 0; i < Pictures; i++)
                File.Copy(from[i], Path.Combine(folder, side, $"{i:00}.jpg"));
        }
        File.WriteAllText(
            Path.Combine(folder, "ground_truth.csv"),
            "query,database\n" + string.Concat(Enumerable.Range(0, Pictures).SelectMany(q => truth(q).Select(d => $"query/{q:00}.jpg,database/{d:00}.jpg\n"))));
        return folder;
    }

    private string Settings(string name, string dataset)
    {
        string file = Path.Combine(root, name + ".json");
        File.WriteAllText(file, $$"""
            {
              "title": "Folds",
              "dataset": "{{dataset.Replace('\\', '/')}}",
              "folds": { "count": 3, "validation": 2 },
              "tests": [ { "name": "own", "split": "fold" }, { "name": "all", "split": "fold/all" }, { "name": "elsewhere", "split": "val", "dataset": "{{SmallCity.Folder.Replace('\\', '/')}}" } ],
              "network": { "backbone": "city" },
              "training": { "epochs": 1, "refreshInterval": 5, "tuplesPerBatch": 2, "negativesPerTuple": 3, "learningRate": 0.003 },
              "pooling": [ "max", "netVlad" ], "clusters": [ 4 ], "seeds": [ 1, 2 ], "dimensions": [ 4 ]
            }
            """);
        return file;
    }

    private static JsonElement Json(params string[] path) => JsonDocument.Parse(File.ReadAllText(Path.Combine(path))).RootElement;

    [Test]
    public void TheTablePoolsTheQueriesOfAllFolds_AndTellsThemApartBelow()
    {
        string table = File.ReadAllText(Path.Combine(root, "whole", "table.md"));
        Assert.That(table, Does.Contain("## own: 12 queries").And.Contain("## all: 12 queries").And.Contain("## elsewhere: 8 queries").And.Contain("3 folds by place"));
        Assert.That(table, Does.Contain("## own: recall@1 by fold").And.Contain("| | fold 1 | fold 2 | fold 3 |").And.Contain("recall@1 after PCA"));
        Assert.That(Directory.GetDirectories(Path.Combine(root, "whole", "cells")), Has.Length.EqualTo(2 * 2 * 3));
    }

    /// <summary>The row is what each fold's own measurement says, query by query, and that is what <c>eval</c> measures with the fold's weights on the fold's queries.</summary>
    [Test]
    public void EachFoldAsksTheNetworkThatNeverSawItsPlaces()
    {
        string[] tested = ["0-4", "4-8", "8-12"], learnt = ["6-12", "0-4,10-12", "2-8"], choosing = ["4-6", "8-10", "0-2"];
        int hits = 0;
        for (int fold = 0; fold < 3; fold++)
        {
            string cell = Path.Combine(root, "whole", "cells", $"max-all-seed2-fold{fold + 1}");
            var job = Json(cell, "settings.json");
            Assert.That((job.GetProperty("trainingSplit").GetString(), job.GetProperty("validationSplit").GetString()), Is.EqualTo((learnt[fold], choosing[fold])));
            var report = Netvlad.Run("eval", Path.Combine(cell, "best.safetensors"), set, "--split", tested[fold] + "/all", "--device", "cpu", "--json").Done().Json();
            var ranks = Json(cell, "measurements.json").EnumerateArray()
                .Single(m => m.GetProperty("Row").GetString() == "max, trained" && m.GetProperty("Test").GetString() == "all").GetProperty("FirstHit").EnumerateArray().Select(r => r.GetInt32()).ToArray();
            Assert.That(ranks, Has.Length.EqualTo(4));
            var first = report.GetProperty("rows")[0].GetProperty("report").GetProperty("recall").EnumerateArray().Single(r => r.GetProperty("n").GetInt32() == 1);
            Assert.That(ranks.Count(r => r == 1), Is.EqualTo(first.GetProperty("hits").GetInt32()));
            hits += ranks.Count(r => r == 1);
        }
        var measurements = Json(root, "whole", "results.json").GetProperty("measurements").EnumerateArray()
            .Where(m => m.GetProperty("row").GetString() == "max, trained" && m.GetProperty("test").GetString() == "all" && m.GetProperty("seed").GetInt32() == 2).ToArray();
        Assert.That(measurements.Select(m => m.GetProperty("fold").GetInt32()), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(measurements.Sum(m => m.GetProperty("firstHit").EnumerateArray().Count(r => r.GetInt32() == 1)), Is.EqualTo(hits));
    }

    /// <summary>A database picture that answers the queries on both sides of a cut would be learnt and tested.</summary>
    [Test]
    public void ASetWhosePlacesReachOverACutIsRefused()
    {
        string leaking = Set("leaking", i => [i, Math.Min(i + 1, Pictures - 1)]);
        Assert.That(
            Netvlad.Run("study", Settings("leaking", leaking), "--output", Path.Combine(root, "leaking-study"), "--device", "cpu").Refused(),
            Does.Contain("answers queries on both sides of a cut").And.Contain("04.jpg"));
    }
}
