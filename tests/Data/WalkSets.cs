using System.Text;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.Walks;
using IlgpuNetVlad.Tests.App;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Films of walks as a set for training and test.</summary>
public sealed class WalkSets
{
    private const int Gap = 4, Block = 3;

    /// <summary>Five levels with a hall that two walks of 20 and 9 seconds pass, and a lift that one of 12 does; a picture for each frame.</summary>
    private static TemporaryFolder Films()
    {
        var folder = new TemporaryFolder();
        var table = new StringBuilder("image,level,area,sequence,frame,split\n");
        foreach (string level in (string[])["e", "d", "c", "b", "a"])
            foreach (var (area, walk, seconds) in new[] { ("hall", "there", 20), ("hall", "back", 9), ("lift", "up", 12) })
                for (int second = 1; second <= seconds; second++)
                {
                    string name = $"frames/{level}/{area}_{walk}_{second:00}.png";
                    table.Append($"{name},{level},{area},{level}_{area}_{walk},{second},gallery\n");
                    // Each another: a copy would be a query that is its own answer.
                    byte low = (byte)table.Length, high = (byte)(table.Length >> 8);
                    folder.Write("films/" + name, SmallImage.Png(4, 6, (x, _) => (low, high, (byte)(9 * x), 255)));
                }
        folder.Write("films/frames.csv", table.ToString());
        return folder;
    }

    private static (string Walk, int Second) When(ImageRecord image)
        => (image.Path[..^7], int.Parse(Path.GetFileNameWithoutExtension(image.Path)[^2..]));

    [Test]
    public void NoAnswerIsANeighbourInTime_AndWholeLevelsAreHeldOut()
    {
        using var folder = Films();
        new WalkSet(folder["films"], Gap, Block).Write(folder["set"]);
        var levels = new Dictionary<string, string[]> { ["train"] = ["a", "c", "e"], ["val"] = ["b"], ["test"] = ["d"] };
        Assert.That(DatasetReader.Splits(folder["set"]), Is.EquivalentTo(levels.Keys));
        foreach (var (split, expected) in levels)
        {
            var set = DatasetReader.Open(folder["set"], split);
            Assert.That(() => set.CheckTraining(), Throws.Nothing);
            Assert.That(set.Database.Concat(set.Queries).Select(i => Path.GetFileName(Path.GetDirectoryName(i.Path))).Distinct(), Is.EquivalentTo(expected));
            for (int q = 0; q < set.Queries.Count; q++)
            {
                var (walk, second) = When(set.Queries[q]);
                Assert.That(set.GroundTruth(q), Is.Not.Empty.And.EqualTo(set.PotentialPositives(q)));
                foreach (int d in set.GroundTruth(q))
                {
                    Assert.That(set.Database[d].Place, Is.EqualTo(set.Queries[q].Place));
                    if (When(set.Database[d]) is var (other, at) && other == walk)
                        Assert.That(Math.Abs(at - second), Is.GreaterThanOrEqualTo(Gap));
                }
                Assert.That(set.Database.Select(When).Where(d => d.Walk == walk).Min(d => Math.Abs(d.Second - second)), Is.GreaterThanOrEqualTo(Gap), "nor is a wrong one");
            }
        }
    }

    /// <summary>By hand: of 20 frames 1–3 and 13–15 are the database's, 7–9 and 19–20 the queries'; of 9 and of 12 the first three and 7–9.</summary>
    [Test]
    public void TheSpreadOfTheGapsIsTold()
    {
        using var folder = Films();
        var test = new WalkSet(folder["films"], Gap, Block).Summary("test");
        Assert.That((test.Levels, test.Database, test.Queries, test.WithAnotherWalk), Is.EqualTo((1, 6 + 3 + 3, 5 + 3 + 3, 5 + 3)));
        // there: 7, 8, 9 are 4, 5, 4 from 3 and 13, 19 and 20 are 4 and 5 from 15; back and lift: 4, 5, 6 from 3.
        Assert.That(test.NearestAnswer, Is.EqualTo(new Spread(4, 5, 6)));
        Assert.That((test.AllAnswers.Min, test.AllAnswers.Max), Is.EqualTo((4, 19)));
    }

    [Test]
    public void TheCommandWritesTheSetAndPrintsTheGaps()
    {
        using var folder = Films();
        var done = Netvlad.RunIn(folder.Path, "data", "import-walks", "films", "set", "--gap", "4", "--block", "3", "--json").Done().Json();
        Assert.That(done.GetProperty("images").GetInt32(), Is.EqualTo(5 * 23));
        Assert.That(done.GetProperty("splits")[0].GetProperty("nearestAnswer").GetProperty("min").GetInt32(), Is.EqualTo(4));
    }

    [TestCase("image,level,area,sequence\n", "frame")]
    [TestCase("image,level,area,sequence,frame\nx.png,1,hall,w,2.5\n", "line 2")]
    [TestCase("image,level,area,sequence,frame\nx.png,1,hall,w,2\n", "at least 4")]
    [TestCase("image,level,area,sequence,frame\na.png,1,h,w1,1\nb.png,2,h,w2,1\nc.png,3,h,w3,1\nd.png,4,h,w4,1\n", "smaller gap")]
    public void WhatCannotBeASet_IsRefused(string table, string part)
    {
        using var folder = new TemporaryFolder();
        folder.Write("frames.csv", table);
        Assert.That(() => new WalkSet(folder.Path, Gap, Block), Throws.InstanceOf<UserErrorException>().With.Message.Contains(part));
    }

    [Test]
    public void AFolderWithoutTheTable_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => new WalkSet(folder.Path, Gap, Block), Throws.InstanceOf<UserErrorException>().With.Message.Contains("There is no").And.Message.Contains(WalkSet.FramesFile));
    }
}
