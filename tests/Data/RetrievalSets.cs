using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Oxford5k, Paris6k and Holidays as they are given out.</summary>
[TestFixture, Parallelizable]
public sealed class RetrievalSets
{
    [Test]
    public void ListsNameImagesWhereverTheyLie()
    {
        using var folder = new TemporaryFolder();
        folder.Images("images/sub/tower_000001.png", "images/tower_000002.png", "images/tower_000003.png", "images/other_000001.png");
        folder.Write("groundtruth/tower_1_query.txt", "oxc1_tower_000001 1.5 0 5 3.25\n");
        folder.Write("groundtruth/tower_1_good.txt", "tower_000002\ntower_000002\n\ntower_000001\n");
        folder.Write("groundtruth/tower_1_ok.txt", "tower_000003\nlost_000008\nlost_000009\n");
        folder.Write("groundtruth/tower_1_junk.txt", "other_000001\nlost_000010\n");
        Assert.That(RetrievalSetReader.IsOne(folder.Path));
        var set = RetrievalSetReader.Open(folder.Path);
        Assert.That(set.Images.Select(Path.GetFileName), Is.EqualTo(new[] { "other_000001.png", "tower_000001.png", "tower_000002.png", "tower_000003.png" }));
        Assert.That(set.Missing, Is.EqualTo(2), "junk that is not there changes nothing");
        var query = set.Queries.Single();
        Assert.That((query.Name, query.Image, query.Region), Is.EqualTo(("tower_1", 1, (PixelRegion?)new PixelRegion(1.5, 0, 5, 3.25))));
        Assert.That(query.Positives, Is.EquivalentTo(new[] { 1, 2, 3 }));
        Assert.That(query.Ignored, Is.EquivalentTo(new[] { 0 }));

        var part = set.Restrict([1, 3]);
        Assert.That(part.Queries.Single().Positives, Is.EquivalentTo(new[] { 0, 1 }));
        Assert.That(part.Queries.Single().Ignored, Is.Empty);
        Assert.That(set.Restrict([0, 2]).Queries, Is.Empty, "its own image is gone");
        Assert.That(set.Restrict([0, 1]).Queries.Single().Image, Is.EqualTo(1));
    }

    [Test]
    public void ScenesOfHolidaysAreAskedByTheirFirstImage()
    {
        using var folder = new TemporaryFolder();
        folder.Images("jpg/100000.png", "jpg/100002.png", "jpg/100001.png", "jpg/100100.png", "jpg/100200.png", "jpg/100201.png");
        var set = RetrievalSetReader.Open(folder.Path);
        Assert.That(set.Queries.Select(q => q.Name), Is.EqualTo(new[] { "100000", "100200" }), "a scene of one image answers nothing");
        Assert.That(set.Queries[0].Positives, Is.EquivalentTo(new[] { 1, 2 }));
        Assert.That(set.Queries[0].Ignored, Is.EquivalentTo(new[] { 0 }), "the query itself");
        Assert.That(set.Queries[0].Region, Is.Null);
        File.Delete(folder["jpg/100200.png"]);
        Assert.That(Refusal(folder), Does.Contain("scene 1002"));
    }

    [Test]
    public void OrdinarySetsAreNone()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@1@2@.png", "queries/@1@2@.png", "a.png");
        Assert.That(RetrievalSetReader.IsOne(folder.Path), Is.False);
        Assert.That(RetrievalSetReader.IsOne(folder["missing"]), Is.False);
        Assert.That(Refusal(folder), Does.Contain("no retrieval set"));
    }

    [Test]
    public void WhatIsMissingIsNamed()
    {
        using var folder = new TemporaryFolder();
        folder.Images("images/a_000001.png");
        folder.Write("groundtruth/a_1_query.txt", "a_000001 0 0 5");
        Assert.That(Refusal(folder), Does.Contain("a_1_query.txt is no query"));
        folder.Write("groundtruth/a_1_query.txt", "a_000001 5 0 5 3");
        Assert.That(Refusal(folder), Does.Contain("a_1_query.txt is no query"), "an empty region");
        folder.Write("groundtruth/a_1_query.txt", "a_000007 0 0 5 3");
        Assert.That(Refusal(folder), Does.Contain("a_000007"));
        folder.Write("groundtruth/a_1_query.txt", "a_000001 0 0 5 3");
        Assert.That(Refusal(folder), Does.Contain("a_1_good.txt"));
        folder.Write("groundtruth/a_1_good.txt", "b_000001");
        folder.Write("groundtruth/a_1_ok.txt", "");
        folder.Write("groundtruth/a_1_junk.txt", "");
        Assert.That(Refusal(folder), Does.Contain("None of the images"));
        folder.Images("images/more/a_000001.png");
        Assert.That(Refusal(folder), Does.Contain("have one name"));
    }

    /// <summary>The real lists; the images, some 2 GB, are not here, so small ones stand in their place.</summary>
    [Test]
    public void TheRealListsOfOxford_Are55QueriesOf11Landmarks()
    {
        string lists = SharedFolder.Require("data", "splits", "oxford5k");
        using var folder = new TemporaryFolder();
        var names = new HashSet<string>();
        foreach (string file in Directory.GetFiles(lists))
        {
            Directory.CreateDirectory(folder["groundtruth"]);
            File.Copy(file, folder[Path.Combine("groundtruth", Path.GetFileName(file))]);
            names.UnionWith(file.EndsWith("_query.txt", StringComparison.Ordinal) ? [File.ReadAllText(file).Split(' ')[0]["oxc1_".Length..]] : File.ReadAllLines(file).Where(l => l.Length > 0));
        }
        foreach (string name in names)
            folder.Write($"images/{name}.jpg", "");
        var set = RetrievalSetReader.Open(folder.Path);
        Assert.That(set.Queries, Has.Count.EqualTo(55));
        Assert.That(set.Queries.Select(q => q.Name[..^2]).Distinct().Count(), Is.EqualTo(11));
        Assert.That(set.Missing, Is.Zero);
        Assert.That(set.Queries, Has.All.Matches<RetrievalQuery>(q => !q.Positives.Overlaps(q.Ignored)));
    }

    private static string Refusal(TemporaryFolder folder)
    {
        string message = Assert.Throws<UserErrorException>(() => RetrievalSetReader.Open(folder.Path))!.Message;
        Assert.That(message, Does.EndWith(".").And.Not.Contains("\n"));
        return message;
    }
}
