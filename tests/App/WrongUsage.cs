namespace IlgpuNetVlad.Tests.App;

/// <summary>Wrong words end with code 2, before anything is done, and point to the help.</summary>
[TestFixture]
public sealed class WrongUsage
{
    [TestCase("", "netvlad --help", TestName = "{m}(nothing)")]
    [TestCase("localise", "localise")]
    [TestCase("data", "netvlad data --help")]
    [TestCase("kernels list --device gpu", "auto, cuda")]
    [TestCase("kernels list --seed minus-one", "--seed")]
    [TestCase("kernels list extra", "extra")]
    [TestCase("doctor --faster", "--faster")]
    [TestCase("data inspect", "netvlad data inspect --help")]
    [TestCase("data make-city city --width 7", "32")]
    public void IsToldWithCode2(string words, string says)
    {
        string message = Netvlad.Run(words.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Refused(exitCode: 2);
        Assert.That(message, Does.Contain(says));
    }
}
