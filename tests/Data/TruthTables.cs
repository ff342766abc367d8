using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Pairs of folders with ground_truth.csv.</summary>
public sealed class TruthTables
{
    [TestCase("query,database\nquery/a.png,database/0.png\nquery/a.png,database/1.png\nquery/c.png,database/2.png\n")]
    [TestCase("Database,QUERY\ndatabase/1.png;database/0.png,query/a.png\n2.png,c.png\n")]
    [TestCase("query;database\na.png; 0.png | 1.png\n\nc.png;2.png")]
    [TestCase("\uFEFFquery\tdatabase\tnote\r\n./query/a.png\t0.png;1.png\tx\r\nquery\\c.png\tdatabase\\2.png\r\nb.png\r\n")]
    public void Several_answers_stand_in_rows_or_in_lists(string table)
    {
        using var folder = Set(table);
        var set = folder.Open();
        Assert.That(Enumerable.Range(0, 3).Select(set.GroundTruth), Is.EqualTo(new int[][] { [0, 1], [], [2] }));
        Assert.That((set.HasExplicitTruth, set.Database.Count, set.HasTimes), Is.EqualTo((true, 4, false)));
        Assert.That(set.PotentialPositives(0), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(Enumerable.Range(0, 4).Select(d => set.IsNegative(0, d)), Is.EqualTo(new[] { false, false, true, true }));
        Assert.That(DatasetReader.Splits(folder.Path), Is.EqualTo(new[] { "all" }));
        Assert.That(set.Check, Throws.Nothing);
    }

    [Test]
    public void A_range_takes_its_queries_and_their_answers_only()
    {
        using var folder = Set("query,database\na.png,3.png\nb.png,1.png\nb.png,2.png\nc.png,0.png\n");
        var set = folder.Open("1-3");
        Assert.That(set.Queries.Select(Name), Is.EqualTo(new[] { "b.png", "c.png" }));
        Assert.That(set.Database.Select(Name), Is.EqualTo(new[] { "0.png", "1.png", "2.png" }));
        Assert.That((set.GroundTruth(0), set.GroundTruth(1), set.Split), Is.EqualTo((new[] { 1, 2 }, new[] { 0 }, "1-3")));
        var wide = folder.Open("1-3/all");
        Assert.That(wide.Queries.Select(Name), Is.EqualTo(new[] { "b.png", "c.png" }));
        Assert.That(wide.Database.Select(Name), Is.EqualTo(new[] { "0.png", "1.png", "2.png", "3.png" }), "with the answers of other queries");
        Assert.That((wide.GroundTruth(0), wide.GroundTruth(1)), Is.EqualTo((new[] { 1, 2 }, new[] { 0 })));
        var apart = folder.Open("0-1,2-3");
        Assert.That(apart.Queries.Select(Name), Is.EqualTo(new[] { "a.png", "c.png" }));
        Assert.That(apart.Database.Select(Name), Is.EqualTo(new[] { "0.png", "3.png" }), "without what answers the query between");
        Assert.That(folder.Open("0-1,2-3/all").Database, Has.Count.EqualTo(4));
    }

    [TestCase("2-4", "runs past its 3 queries; the range is half open, from 0.")]
    [TestCase("train", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("2-2", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("-1-2", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("0-2,1-3", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("1-2,0-1", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("0-1,", "ask for all, or for ranges of its 3 queries, ascending, such as 0-100 or 0-100,200-300.")]
    [TestCase("0-1,2-4/all", "runs past its 3 queries; the range is half open, from 0.")]
    public void A_wrong_range_is_refused(string split, string ending)
    {
        using var folder = Set("query,database\na.png,0.png\n");
        Assert.That(folder.Refusal(split), Does.Contain($"plit {split}").And.EndsWith(ending));
    }

    [TestCase("query,database\na.png,0.png\nz.png,1.png\n", "ground_truth.csv, line 3: there is no query image z.png in ")]
    [TestCase("query,database\n\na.png,0.png;9.png\n", "ground_truth.csv, line 3: there is no database image 9.png in ")]
    [TestCase("query,database\n,0.png\n", "ground_truth.csv, line 2: the query is missing.")]
    [TestCase("query,reference\n", "ground_truth.csv has no column database; its first line must name query, database and names query, reference.")]
    [TestCase("query,query,database\n", "ground_truth.csv has two columns called query; rename one in its first line.")]
    [TestCase("", "ground_truth.csv is empty; its first line must name the columns query, database.")]
    [TestCase("query,database\na.png,\n", "holds no right answer to any of its 3 queries: its truth names none; check the truth file.")]
    public void A_bad_table_is_refused_with_its_line(string table, string sentence)
    {
        using var folder = Set(table);
        Assert.That(folder.Refusal(), Does.Contain(sentence));
    }

    [Test]
    public void Both_folders_are_needed()
    {
        using var folder = new TemporaryFolder();
        folder.Write("ground_truth.csv", "query,database\n");
        Assert.That(folder.Refusal(), Does.EndWith($"needs two folders of images beside it, database and query (or queries); {folder.Path} lacks the queries."));
    }

    [Test]
    public void A_query_that_is_its_own_answer_is_refused_even_as_a_copy()
    {
        using var folder = Set("query,database\na.png,0.png\nb.png,1.png\n");
        File.Copy(folder["query/b.png"], folder["database/1.png"], overwrite: true);
        Assert.That(
            folder.Refusal(),
            Does.Contain("has 1 of 3 queries whose own photograph is a right answer").And.Contain(folder["query/b.png"]));
    }

    [Test]
    public void A_missing_file_is_named_and_all_are_counted()
    {
        using var folder = Set("query,database\na.png,0.png\n");
        var set = folder.Open();
        File.Delete(folder["database/2.png"]);
        File.Delete(folder["query/b.png"]);
        Assert.That(
            set.Check, Throws.TypeOf<UserErrorException>().With.Message.EndsWith($"lacks 2 of its 7 image files; the first that is missing is {folder["database/2.png"]}."));
    }

    private static string Name(ImageRecord image) => Path.GetFileName(image.Path);

    private static TemporaryFolder Set(string table)
    {
        var folder = new TemporaryFolder();
        folder.Images("query/a.png", "query/b.png", "query/c.png", "database/0.png", "database/1.png", "database/2.png", "database/3.png");
        folder.Write("ground_truth.csv", table);
        return folder;
    }
}
