using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Studies;

namespace IlgpuNetVlad.Tests.Studies;

/// <summary>How folds cut a set.</summary>
[TestFixture]
public sealed class Folds
{
    [TestCase(4, 85, 585)]
    [TestCase(3, 2, 12)]
    [TestCase(2, 1, 4)]
    [TestCase(7, 3, 20)]
    [TestCase(5, 1, 5)]
    public void EveryQueryIsTestedOnce_ByAFoldThatUsesItForNothingElse(int count, int validation, int queries)
    {
        var tested = new List<int>();
        for (int fold = 1; fold <= count; fold++)
        {
            var splits = new StudyFolds(count, validation).Of(fold, queries);
            int[] training = Queries(splits.Training), choosing = Queries(splits.Validation), test = Queries(splits.Test!);
            Assert.That(training.Concat(choosing).Concat(test).Order(), Is.EqualTo(Enumerable.Range(0, queries)), $"fold {fold}: each query has one part");
            Assert.That(choosing, Has.Length.EqualTo(validation));
            Assert.That(test.Length, Is.InRange(queries / count, queries / count + 1));
            tested.AddRange(test);
        }
        Assert.That(tested, Is.EqualTo(Enumerable.Range(0, queries)), "in their order, fold after fold");
    }

    [Test]
    public void ValidationStandsBehindWhatIsTested_AndGoesOnFromTheBeginning()
    {
        var folds = new StudyFolds(4, 85);
        Assert.That(folds.Of(1, 585), Is.EqualTo(new StudySplits("231-585", "146-231", "0-146")));
        Assert.That(folds.Of(2, 585), Is.EqualTo(new StudySplits("0-146,377-585", "292-377", "146-292")));
        Assert.That(folds.Of(3, 585), Is.EqualTo(new StudySplits("0-292,523-585", "438-523", "292-438")));
        Assert.That(folds.Of(4, 585), Is.EqualTo(new StudySplits("85-438", "0-85", "438-585")));
        Assert.That(new StudyFolds(2, 3).Of(1, 8).Validation, Is.EqualTo("4-7"));
        Assert.That(new StudyFolds(4, 3).Of(3, 8), Is.EqualTo(new StudySplits("1-4", "0-1,6-8", "4-6")), "round the end");
    }

    [TestCase(3, 1, 2)]
    [TestCase(2, 5, 10)]
    public void FoldsThatLeaveNothingToLearnFromAreRefused(int count, int validation, int queries)
        => Assert.That(() => new StudyFolds(count, validation).Of(1, queries), Throws.TypeOf<UserErrorException>().With.Message.Contains($"do not fit to {queries} queries"));

    private static int[] Queries(string split) => [.. QueryRanges.Parse(split)!.Queries];
}
