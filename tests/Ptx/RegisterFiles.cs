using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>How many registers a thread may have in blocks of so many, as NVIDIA's occupancy calculator says.</summary>
[TestFixture, Parallelizable]
public sealed class RegisterFiles
{
    [TestCase(32, 255)]
    [TestCase(256, 255)]
    [TestCase(257, 168)]
    [TestCase(288, 168)]
    [TestCase(384, 168)]
    [TestCase(385, 128)]
    [TestCase(512, 128)]
    [TestCase(1024, 64)]
    public void SoManySuffice_AndNotOneMore(int threads, int registers)
        => Assert.That((RegisterFile.Suffices(registers, threads), RegisterFile.Suffices(registers + 1, threads)), Is.EqualTo((true, false)));

    [Test]
    public void NineWarps_TakeAsMuchAsTwelve()
        => Assert.That((RegisterFile.Taken(168, 288), RegisterFile.Taken(168, 384), RegisterFile.Taken(161, 288), RegisterFile.Taken(160, 288)), Is.EqualTo((64512, 64512, 64512, 61440)));
}
