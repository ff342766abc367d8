namespace IlgpuNetVlad.Tests.App;

/// <summary>Wrong words end with code 2, before anything is done, and point to the help.</summary>
[TestFixture, Parallelizable]
public sealed class WrongUsage
{
    [TestCase("", "netvlad --help", TestName = "{m}(nothing)")]
    [TestCase("localise", "localise")]
    [TestCase("data", "netvlad data --help")]
    [TestCase("kernels list --device gpu", "auto, cuda")]
    [TestCase("kernels list --precision bf1", "fp32, tf32 or bf16")]
    [TestCase("kernels list --seed minus-one", "--seed")]
    [TestCase("kernels list extra", "extra")]
    [TestCase("doctor --faster", "--faster")]
    [TestCase("data inspect", "netvlad data inspect --help")]
    [TestCase("data make-city city --width 7", "32")]
    [TestCase("train --clusters 8", "needs a dataset")]
    [TestCase("train --resume run --epochs 3", "--resume")]
    [TestCase("train city --resume run", "--resume")]
    [TestCase("train city --margin 0", "margin")]
    [TestCase("train city --loss triplet --negatives 5", "1 negative")]
    [TestCase("train city --loss softest", "softest")]
    [TestCase("train city --scales 1,big", "1,big")]
    [TestCase("train city --clusters 0", "--clusters 0 must be 1 or more")]
    [TestCase("train city --pool median", "median")]
    [TestCase("eval", "netvlad eval --help")]
    [TestCase("eval weights", "argument missing")]
    [TestCase("eval weights city --dims 128,0", "128,0")]
    [TestCase("eval weights city --same-time maybe", "maybe")]
    [TestCase("eval weights city --test-radius 0", "--test-radius 0 must be more than 0")]
    [TestCase("eval weights city --test-radius nan", "--test-radius")]
    [TestCase("extract weights city --resize huge", "huge")]
    [TestCase("extract weights city --batch 0", "--batch 0 must be")]
    [TestCase("pca weights city", "--dims")]
    [TestCase("convert weights", "argument missing")]
    [TestCase("convert a b --preprocessing caffe", "caffe")]
    [TestCase("data import-dbstruct a.mat images", "argument missing")]
    [TestCase("data import-dbstruct a.mat images out --panorama-block -1", "--panorama-block -1 must be 0 or more")]
    [TestCase("export weights x.onnx --size 480", "480x640")]
    public void IsToldWithCode2(string words, string says)
    {
        string message = Netvlad.Run(words.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Refused(exitCode: 2);
        Assert.That(message, Does.Contain(says));
    }

    /// <summary>Who reads documents reads one here too.</summary>
    [TestCase("localise --json", "localise")]
    [TestCase("--json", "command")]
    [TestCase("eval --json weights city --batch 0", "--batch 0 must be 1 or more")]
    [TestCase("train city --json --margin 0", "margin")]
    public void IsAJsonDocumentToo(string words, string says)
    {
        var run = Netvlad.Run(words.Split(' '));
        run.Refused(exitCode: 2);
        Assert.That(run.Json().GetProperty("error").GetString(), Does.Contain(says));
        Assert.That(run.Errors, Does.Contain(says), "people read it as before");
    }

    [Test]
    public void WithoutJsonStandardOutputStaysEmpty()
        => Assert.That(Netvlad.Run("eval", "weights").Output, Is.Empty);
}
