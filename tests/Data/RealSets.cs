using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Sets of real photographs, where they are at hand.</summary>
public sealed class RealSets
{
    [TestCase("corridor", 111, 549)]
    [TestCase("gardens_point", 198, 976)]
    [TestCase("sped", 585, 585)]
    [TestCase("day_night", 10, 10)]
    public void A_published_set_opens_whole_and_decodes(string name, int queries, int answers)
    {
        var set = DatasetReader.Open(SharedFolder.Require("data", name), "all");
        Assert.That((set.Queries.Count, set.Database.Count), Is.EqualTo((queries, queries)));
        Assert.That(Enumerable.Range(0, queries).Sum(q => set.GroundTruth(q).Length), Is.EqualTo(answers));
        var found = DataInspection.Of(set, new SkiaImageDecoder(), decodeAll: true);
        Assert.That((found.BadImages.Count, found.QueriesWithoutAnswer, found.Refusal), Is.EqualTo((0, 0, (string?)null)));
        Assert.That(set.CheckTraining, Throws.Nothing);
    }

    [Test]
    public void Places_sorted_by_name_are_cut_into_train_val_and_test()
    {
        var path = SharedFolder.Require("data", "sped");
        Dataset[] parts = [.. new[] { "0-350", "350-435", "435-585" }.Select(split => DatasetReader.Open(path, split))];
        Assert.That(parts.Select(part => (part.Queries.Count, part.Database.Count)), Is.EqualTo(new[] { (350, 350), (85, 85), (150, 150) }));
        var names = parts.SelectMany(part => part.Queries).Select(image => image.Path).ToArray();
        Assert.That(names, Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(parts.SelectMany(part => part.Database).Select(image => image.Path).Distinct().Count(), Is.EqualTo(585), "no place in two parts");
    }
}
