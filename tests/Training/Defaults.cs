using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Tests.Training;

/// <summary>Settings that nobody gave.</summary>
[TestFixture]
public sealed class Defaults
{
    [Test]
    public void TheyFollowTheStartAndTheSizeOfTheSet()
    {
        NetworkRequest random = new() { Backbone = "city" }, pretrained = new() { Weights = "squeezenet.safetensors" };
        foreach (int queries in (int[])[10, 100_000])
            Assert.That(TrainingDefaults.For(random, queries), Is.EqualTo(new CityStudyOptions().Training), "as the city's own run");
        Assert.That(TrainingDefaults.For(pretrained, TrainingDefaults.SmallSet), Is.EqualTo(TrainingDefaults.Few));
        Assert.That(TrainingDefaults.For(pretrained, TrainingDefaults.SmallSet + 1), Is.EqualTo(new TrainingOptions()), "the paper's");
        foreach (var options in (TrainingOptions[])[TrainingDefaults.FromRandomWeights, TrainingDefaults.Few])
            Assert.That(options.Check, Throws.Nothing);
    }
}
