using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Positives, negatives and right answers.</summary>
public sealed class Rules
{
    [Test]
    public void Neighbours_agree_with_a_search_through_all_pairs()
    {
        var random = new Random(1);
        var database = Enumerable.Range(0, 800).Select(i => Scattered($"d{i}")).ToArray();
        var queries = Enumerable.Range(0, 100).Select(i => Scattered($"q{i}")).ToArray();
        foreach (var times in new[] { false, true })
        {
            var set = new Dataset("x", "all", [.. database.Select(Timed)], [.. queries.Select(Timed)]);
            for (var q = 0; q < queries.Length; q++)
            {
                var d2 = set.Database.Select(image => Math.Pow(image.Easting - queries[q].Easting, 2) + Math.Pow(image.Northing - queries[q].Northing, 2)).ToArray();
                var all = Enumerable.Range(0, database.Length).ToArray();
                Assert.That(set.GroundTruth(q), Is.EqualTo(all.Where(d => d2[d] <= 625)));
                Assert.That(all.Where(d => set.IsNegative(q, d)), Is.EqualTo(all.Where(d => d2[d] > 625)));
                Assert.That(set.CountNegatives(q), Is.EqualTo(d2.Count(d => d > 625)));
                Assert.That(
                    set.PotentialPositives(q),
                    Is.EqualTo(all.Where(d => d2[d] <= 100 && (times ? set.Database[d].Time != set.Queries[q].Time : d2[d] > 1))));
            }

            ImageRecord Timed(ImageRecord image) => times ? image with { Time = image.Path.Length % 3 } : image;
        }

        // Around the origin, for negative coordinates too; on a lattice, so that distances hit the radii exactly.
        ImageRecord Scattered(string path) => new(path, random.Next(-40, 41) * 2.5, random.Next(-40, 41) * 2.5, null, null, null, null);
    }

    [TestCase(0, false, true, false)]
    [TestCase(1, false, true, false)]
    [TestCase(1.1, true, true, false)]
    [TestCase(10, true, true, false)]
    [TestCase(10.1, false, true, false)]
    [TestCase(25, false, true, false)]
    [TestCase(25.1, false, false, true)]
    public void Radii_without_times(double metres, bool positive, bool answer, bool negative)
    {
        var set = Set([At(0)], [At(metres)]);
        Assert.That((set.PotentialPositives(0).Length == 1, set.GroundTruth(0).Length == 1, set.IsNegative(0, 0)), Is.EqualTo((positive, answer, negative)));
    }

    [Test]
    public void Time_machine_takes_other_dates_from_no_distance_on()
    {
        var set = Set([At(0, 1)], [At(0, 1), At(5, 1), At(0, 2), At(5, 2), At(11, 2), At(0), At(5)]);
        Assert.That(set.PotentialPositives(0), Is.EqualTo(new[] { 2, 3, 6 }));
        Assert.That(set.GroundTruth(0), Is.EqualTo(new[] { 0, 1, 2, 3, 4, 5, 6 }));
        Assert.That(Enumerable.Range(0, 7).Where(d => set.SharesTime(0, d)), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(set.HasTimes);
    }

    [Test]
    public void Ablation_takes_the_querys_own_date_but_not_the_query()
    {
        var set = Set([At(0, 1)], [At(0, 1), At(5, 1), At(0, 2), At(5, 2)], new DatasetRules(TimeMachine: false));
        Assert.That(set.PotentialPositives(0), Is.EqualTo(new[] { 1 }));
        Assert.That(set.SharesTime(0, 0), "validation still drops what is taken at the same time");
    }

    [Test]
    public void Listed_answers_obey_the_times_where_both_are_known()
    {
        ImageRecord[] database = [Lost("a", 1), Lost("b", 2), Lost("c", null)];
        var set = new Dataset("x", "all", database, [Lost("q", 1)], null, [new[] { 2, 0, 1, 1 }]);
        Assert.That((set.GroundTruth(0), set.PotentialPositives(0)), Is.EqualTo((new[] { 0, 1, 2 }, new[] { 1, 2 })));
    }

    [Test]
    public void Rules_may_be_others()
    {
        var set = Set([At(0)], [At(0), At(3), At(7), At(9)], new DatasetRules(TrainRadius: 8, NegativeRadius: 8, TestRadius: 5, SelfRadius: 4));
        Assert.That(set.PotentialPositives(0), Is.EqualTo(new[] { 2 }));
        Assert.That(set.GroundTruth(0), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(set.IsNegative(0, 3), Is.True);
    }

    [Test]
    public void A_part_keeps_the_truth_under_new_numbers()
    {
        ImageRecord[] database = [Lost("a", null), Lost("b", null), Lost("c", null)];
        var set = new Dataset("x", "all", database, [Lost("p", null), Lost("q", null)], null, [new[] { 0, 1 }, new[] { 1, 2 }]);
        var part = set.Restrict([1], [2, 1], "part");
        Assert.That((part.GroundTruth(0), part.Queries[0].Path, part.Database[0].Path, part.Split), Is.EqualTo((new[] { 0, 1 }, "q", "c", "part")));
    }

    [Test]
    public void A_truth_that_does_not_fit_is_a_programmers_error()
    {
        Assert.That(() => new Dataset("x", "all", [At(0)], [At(0)], null, [new[] { 1 }]), Throws.ArgumentException);
        Assert.That(() => new Dataset("x", "all", [At(0)], [At(0)], null, []), Throws.ArgumentException);
        Assert.That(() => new Dataset("x", "all", [Lost("a", null)], [At(0)]), Throws.ArgumentException);
    }

    [Test]
    public void Nothing_to_learn_from_is_said_before_training()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@0@0@.png", "queries/@0.5@0@.png");
        Assert.That(
            folder.Open().CheckTraining,
            Throws.TypeOf<UserErrorException>().With.Message.EndsWith("nothing can be learnt: no database image lies between 1 m and 10 m of a query."));
        folder.Images("database/@5@0@.png");
        folder.Images("database/@50@0@.png");
        Assert.That(
            folder.Open(rules: new(NegativeRadius: 60)).CheckTraining,
            Throws.TypeOf<UserErrorException>().With.Message.EndsWith("nothing can be learnt: every database image is an answer or lies within 60 m."));
        Assert.That(folder.Open().CheckTraining, Throws.Nothing);
    }

    [Test]
    public void Queries_far_from_everything_are_no_test()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@0@0@.png", "queries/@500000@0@.png");
        Assert.That(
            folder.Refusal(),
            Does.EndWith("holds no right answer to any of its 1 queries: no database image lies within 25 m of a query; check that all positions are in metres and in one zone."));
    }

    /// <summary>Metres taken for degrees make a town of every country.</summary>
    [Test]
    public void Positions_in_degrees_are_no_test()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@14.42@50.08@.png", "database/@16.61@49.19@.png", "queries/@14.43@50.07@.png", "queries/@18.26@49.82@.png");
        Assert.That(
            folder.Refusal(),
            Does.EndWith("2 database images that are all right answers of every query, so that recall would be 100 % whatever is answered: they all lie within 25 m of every query (are the positions in degrees?); give them in metres, such as UTM, or add database images of other places."));
        Assert.That(DataInspection.Of(folder.Open(), new SkiaImageDecoder()).Refusal, Is.EqualTo(folder.Refusal()));
        // One query that tells images apart is enough.
        folder.Images("queries/@40@50@.png");
        Assert.That(folder.Open().Check, Throws.Nothing);
    }

    [Test]
    public void A_truth_that_names_everything_is_no_test()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/1.png", "database/2.png", "query/1.png", "query/2.png");
        folder.Write("ground_truth.csv", "query,database\n1.png,1.png;2.png\n2.png,1.png;2.png\n");
        Assert.That(folder.Refusal(), Does.Contain("all right answers of every query").And.Contain("truth file").And.Not.Contain("degrees"));
        folder.Write("ground_truth.csv", "query,database\n1.png,1.png;2.png\n2.png,1.png\n");
        Assert.That(folder.Open().Check, Throws.Nothing);
    }

    [Test]
    public void Queries_that_share_the_databases_images_need_times()
    {
        using var folder = new TemporaryFolder();
        folder.Images("a.png", "b.png", "c.png");
        folder.Write("images.csv", "path,set,easting,northing\na.png,database,0,0\na.png,query,0,0\nb.png,database,5,0\nb.png,query,5,0\n");
        Assert.That(folder.Refusal(), Does.Contain("has 2 of 2 queries whose own photograph is a right answer"));
        Assert.That(folder.Open().PotentialPositives(0), Is.EqualTo(new[] { 1 }));
        folder.Write("images.csv", "path,set,easting,northing,time\na.png,database,0,0,2014\na.png,query,0,0,2014\nb.png,database,5,0,2015\nb.png,query,5,0,2015\nc.png,database,500,0,2015\n");
        Assert.That(folder.Open().Check, Throws.Nothing);
    }

    /// <summary>A set of one drive has answers, but none of another time: it is said how to count them.</summary>
    [Test]
    public void Answers_of_the_querys_own_time_alone_are_named_and_may_be_kept()
    {
        using var folder = new TemporaryFolder();
        folder.Images("a.png", "b.png", "q.png");
        folder.Write("images.csv", "path,set,easting,northing,time\na.png,database,0,0,2014\nb.png,database,500,0,2014\nq.png,query,5,0,2014\n");
        Assert.That(folder.Refusal(), Does.Contain("no database image of another time lies within 25 m of a query").And.Contain("`eval --same-time keep`"));
        Assert.That(() => folder.Open().Check(keepSameTime: true), Throws.Nothing);
        folder.Write("images.csv", "path,set,time,place\na.png,database,2014,x\nb.png,database,2014,y\nq.png,query,2014,x\n");
        Assert.That(folder.Refusal(), Does.Contain("its truth names only images of the query's own time").And.Contain("`eval --same-time keep`"));
        // Where there would be none in any case, no option is offered.
        folder.Write("images.csv", "path,set,easting,northing,time\na.png,database,0,0,2014\nb.png,database,500,0,2014\nq.png,query,90,0,2014\n");
        Assert.That(folder.Refusal(), Does.Not.Contain("--same-time").And.Contain("in one zone"));
        // Kept, a query's own photograph is found among the answers.
        folder.Write("images.csv", "path,set,easting,northing,time\na.png,database,0,0,2014\na.png,query,0,0,2014\nb.png,database,500,0,2014\n");
        Assert.That(() => folder.Open().Check(keepSameTime: true), Throws.TypeOf<UserErrorException>().With.Message.Contains("whose own photograph is a right answer"));
    }

    [Test]
    public void A_link_to_a_querys_own_photograph_is_found_too()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@0@0@.png", "queries/@1@0@.png");
        File.Delete(folder["queries/@1@0@.png"]);
        File.CreateSymbolicLink(folder["queries/@1@0@.png"], folder["database/@0@0@.png"]);
        Assert.That(folder.Refusal(), Does.Contain("has 1 of 1 queries whose own photograph is a right answer"));
    }

    private static ImageRecord At(double easting, double? time = null) => new($"{easting} {time} {Guid.NewGuid()}", easting, 0, time, null, null, null);

    private static ImageRecord Lost(string path, double? time) => new(path, double.NaN, double.NaN, time, null, null, null);

    private static Dataset Set(ImageRecord[] queries, ImageRecord[] database, DatasetRules? rules = null) => new("x", "all", database, queries, rules);
}
