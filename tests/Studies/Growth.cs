using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Studies;

namespace IlgpuNetVlad.Tests.Studies;

/// <summary>Which settings a study's folder goes on with.</summary>
[TestFixture]
public sealed class Growth
{
    private static readonly StudySettings Begun = new()
    {
        Title = "a", Dataset = "set", Tests = [new("one", "test")], Pooling = [PoolingKind.NetVlad], Clusters = [16], TrainFrom = ["fire6"], Seeds = [1, 2], Dimensions = [64], Whiten = [true],
    };

    [Test]
    public void TheSameSettings_OrAnotherTitle_ChangeNothing()
    {
        foreach (var asked in (StudySettings[])[Begun, Begun with { Title = "b" }])
            Assert.That((StudyGrowth.Between(Begun, asked).Differences, StudyGrowth.Between(Begun, asked).MeasuresMore), Is.EqualTo((Array.Empty<string>(), false)));
    }

    [Test]
    public void ListsMayGrow_AndThoseOfMeasurementsAskForMoreOfThem()
    {
        foreach (var asked in (StudySettings[])[
            Begun with { Seeds = [3, 2, 1] }, Begun with { Pooling = [PoolingKind.Max, PoolingKind.NetVlad] }, Begun with { Clusters = [16, 32] }, Begun with { TrainFrom = [null, "fire6"] },
            Begun with { TimeMachine = [true, false] }])
            Assert.That((StudyGrowth.Between(Begun, asked).Differences, StudyGrowth.Between(Begun, asked).MeasuresMore), Is.EqualTo((Array.Empty<string>(), false)));
        foreach (var asked in (StudySettings[])[
            Begun with { Tests = [new("two", "val"), new("one", "test")] }, Begun with { Dimensions = [128, 64] }, Begun with { Whiten = [true, false] }])
            Assert.That((StudyGrowth.Between(Begun, asked).Differences, StudyGrowth.Between(Begun, asked).MeasuresMore), Is.EqualTo((Array.Empty<string>(), true)));
    }

    [Test]
    public void EverythingElseIsNamedWithBothValues()
    {
        void Differs(StudySettings asked, params string[] differences) => Assert.That(StudyGrowth.Between(Begun, asked).Differences, Is.EqualTo(differences));
        Differs(Begun with { Training = Begun.Training with { Epochs = 6, Flips = true } }, "training.epochs: 30 there, 6 here", "training.flips: false there, true here");
        Differs(Begun with { Seeds = [1, 3] }, "seeds: [1,2] there, [1,3] here");
        Differs(Begun with { Tests = [new("one", "val")] }, """tests: [{"name":"one","split":"test","dataset":null}] there, [{"name":"one","split":"val","dataset":null}] here""");
        Differs(Begun with { Network = new() { Backbone = "vgg16" } }, "network.backbone: null there, \"vgg16\" here");
        Differs(Begun with { Folds = new(4, 85) }, "folds: null there, {\"count\":4,\"validation\":85} here");
    }
}
