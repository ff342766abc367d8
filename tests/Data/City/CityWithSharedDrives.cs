using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Data.City;

/// <summary>A city whose database has pictures of the queries' own drives: what training without the Time Machine needs, and what a test must not count.</summary>
public sealed class CityWithSharedDrives
{
    private static readonly CityOptions Options = new()
    {
        Width = 32, Height = 32, TrainPlaces = 20, ValPlaces = 3, TestPlaces = 12, TrainQueries = 30, ValQueries = 2, TestQueries = 15, SharedDrives = true,
    };

    private static readonly List<CityShot> Shots = CityPlan.Shots(Options, new CityRenderer(Options));
    private string folder = "";

    [OneTimeSetUp]
    public void Make()
    {
        folder = Directory.CreateTempSubdirectory("netvlad-drives").FullName;
        CityWriter.Write(folder, Options);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(folder, recursive: true);

    private Dataset Open(string split, bool timeMachine) => DatasetReader.Open(folder, split, new DatasetRules(TimeMachine: timeMachine));

    private static bool IsAdded(CityShot shot) => shot.Panorama[1] == 's';

    [Test]
    public void TheRestOfTheTownIsTheSame()
        => Assert.That(Shots.Where(s => !IsAdded(s)), Is.EqualTo(CityPlan.Shots(Options with { SharedDrives = false }, new CityRenderer(Options))));

    [Test]
    public void EachQueryHasAPictureOfItsOwnDriveNearBy_AndOfNoOtherCamera()
    {
        var added = Shots.Where(IsAdded).ToDictionary(s => s.Panorama.Replace('s', 'q'));
        Assert.That(added, Has.Count.EqualTo(47));
        foreach (var query in Shots.Where(s => s.IsQuery))
        {
            var other = added[query.Panorama];
            double metres = Math.Sqrt(Math.Pow(query.Easting - other.Easting, 2) + Math.Pow(query.Northing - other.Northing, 2));
            Assert.That(metres, Is.InRange(2.98, 7.02), query.Panorama);
            Assert.That((other.IsQuery, other.View.Drive, other.View.Heading, other.View.Height, other.View.Spread), Is.EqualTo((false, query.View.Drive, query.View.Heading, query.View.Height, query.View.Spread)));
            Assert.That(other.View.Seed, Is.Not.EqualTo(query.View.Seed), "other people pass, the exposure is metered anew");
        }
    }

    [Test]
    public void TheAblationLearnsFromTheQuerysOwnTimeAlone_TheTimeMachineFromOthersAlone()
    {
        Dataset with = Open("train", timeMachine: true), without = Open("train", timeMachine: false);
        Assert.That(() => { with.CheckTraining(); without.CheckTraining(); }, Throws.Nothing);
        for (int q = 0; q < with.Queries.Count; q++)
        {
            int[] others = with.PotentialPositives(q), own = without.PotentialPositives(q);
            Assert.That(own, Is.Not.Empty.And.All.Matches<int>(d => without.Database[d].Time == without.Queries[q].Time));
            Assert.That(others, Is.Not.Empty.And.All.Matches<int>(d => with.Database[d].Time != with.Queries[q].Time));
        }
    }

    /// <summary>Descriptors for which the picture of the own drive is always nearest: with it left out, the answer is another date's.</summary>
    [Test]
    public void AtTheTest_PicturesOfTheQuerysOwnTimeAreNoAnswer()
    {
        var test = Open("test", timeMachine: false);
        int queries = test.Queries.Count, length = queries + test.Database.Count;
        DescriptorMatrix asked = new(queries, length), known = new(test.Database.Count, length);
        for (int q = 0; q < queries; q++)
            asked.Row(q)[q] = 1;
        for (int d = 0; d < test.Database.Count; d++)
            known.Row(d)[queries + d] = 1;
        var best = new int[queries];
        for (int q = 0; q < queries; q++)
        {
            int twin = Enumerable.Range(0, test.Database.Count).First(d => test.Database[d].Panorama == test.Queries[q].Panorama!.Replace('q', 's'));
            Assert.That(test.SharesTime(q, twin));
            Assert.That(test.GroundTruth(q), Does.Contain(twin));
            best[q] = test.GroundTruth(q).Except(best[..q]).First(d => !test.SharesTime(q, d) && test.Database[d].Panorama![1] == 'd');
            known.Row(twin)[q] = 0.9f;
            known.Row(best[q])[q] = 0.8f;
        }
        using var device = Device.Cpu();
        var report = Evaluation.Evaluate(device, test, known, asked);
        Assert.That(report.Answers.SelectMany((answers, q) => answers.Where(d => test.SharesTime(q, d))), Is.Empty);
        Assert.That(report.Answers.Select(a => a[0]), Is.EqualTo(best));
    }

    [Test]
    public void TheManifestOfATownWithoutThem_IsAsItWas()
    {
        string other = Path.Combine(folder, "plain");
        var plain = Options with { SharedDrives = false, TrainPlaces = 2, TestPlaces = 2, ValPlaces = 2, TrainQueries = 0, TestQueries = 0, ValQueries = 0 };
        CityWriter.Write(other, plain);
        Assert.That(File.ReadAllText(Path.Combine(other, "city.json")), Does.Not.Contain(nameof(CityOptions.SharedDrives)));
        Assert.That(CityWriter.Exists(other, plain));
        Assert.That(CityWriter.Exists(other, plain with { SharedDrives = true }), Is.False);
    }
}
