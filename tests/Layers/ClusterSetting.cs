using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Tests.Layers;

/// <summary>Clusters from centres and sharpness, by hand: c = (3, 4) and (0, 2), α = 10.</summary>
[TestFixture]
public sealed class ClusterSetting
{
    private static readonly float[] Centres = [3, 4, 0, 2];

    [Test]
    public void Version1_ScalesUnitCentres()
    {
        using var layer = new NetVladLayer(Devices.Cpu, 2, 2, hasBias: false, softFloor: false);
        layer.Set(Centres, 10);
        Assert.That(layer.Weight.Read(), Is.EqualTo(new[] { 6f, 8, 0, 10 }));
        Assert.That(layer.Bias, Is.Null);
        Assert.That(layer.Centroids.Read(), Is.EqualTo(Centres));
    }

    [Test]
    public void Version2_HasABias()
    {
        using var layer = new NetVladLayer(Devices.Cpu, 2, 2, hasBias: true, softFloor: false);
        layer.Set(Centres, 10);
        Assert.That(layer.Weight.Read(), Is.EqualTo(new[] { 60f, 80, 0, 40 }));
        Assert.That(layer.Bias!.Read(), Is.EqualTo(new[] { -250f, -40 }));
        Assert.That(layer.Centroids.Read(), Is.EqualTo(Centres));
    }

    [TestCase(float.NaN)]
    [TestCase(0)]
    [TestCase(float.PositiveInfinity)]
    public void OddSharpness_IsRefused(float alpha)
    {
        using var layer = new NetVladLayer(Devices.Cpu, 2, 2, hasBias: false, softFloor: false);
        Assert.Throws<ArgumentException>(() => layer.Set(Centres, alpha));
        Assert.Throws<ArgumentException>(() => layer.Set([1], 1));
    }

    [Test]
    public void ACentreOfZeros_BecomesZeros()
    {
        using var layer = new NetVladLayer(Devices.Cpu, 1, 2, hasBias: false, softFloor: false);
        layer.Set([0, 0], 10);
        Assert.That(layer.Weight.Read(), Is.EqualTo(new[] { 0f, 0 }));
    }
}
