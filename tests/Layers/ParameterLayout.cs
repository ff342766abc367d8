using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Tests.Layers;

[TestFixture]
public sealed class ParameterLayout
{
    /// <summary>File [Oc, Ic, R, S] to memory [R, S, Ic, Oc], number by number.</summary>
    [Test]
    public void Kernels_AreTransposed_AndComeBack()
    {
        using var p = Parameter.Kernel(Devices.Cpu, "w", "layer", 3, 2, 2, 4);
        float[] file = [.. Enumerable.Range(0, 48).Select(i => (float)i)];
        p.Write(file);
        float[] memory = Devices.Cpu.Download(p.Value);
        for (int o = 0; o < 3; o++)
            for (int c = 0; c < 2; c++)
                for (int r = 0; r < 2; r++)
                    for (int s = 0; s < 4; s++)
                        Assert.That(memory[((r * 4 + s) * 2 + c) * 3 + o], Is.EqualTo(file[((o * 2 + c) * 2 + r) * 4 + s]));
        Assert.That(p.Read(), Is.EqualTo(file));
        Assert.That(p.FanIn, Is.EqualTo(16));
    }

    [Test]
    public void OtherParameters_StayAsTheyAre()
    {
        using var p = Parameter.Plain(Devices.Cpu, "c", "pool", 2, 3, 1, 1);
        p.Write([1, 2, 3, 4, 5, 6]);
        Assert.That(Devices.Cpu.Download(p.Value), Is.EqualTo(new[] { 1f, 2, 3, 4, 5, 6 }));
        Assert.That(p.FanIn, Is.Zero);
        Assert.Throws<ArgumentException>(() => p.Write([1, 2]));
        Assert.Throws<InvalidOperationException>(() => _ = p.Gradient);
    }
}
