using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

[TestFixture]
public sealed class ConvolutionShapes
{
    public static IEnumerable<TestCaseData> Invalid()
    {
        ConvolutionShape valid = new(1, 5, 5, 4, 6, 3, 3);
        yield return new TestCaseData(valid with { B = -1 }, "B must not be negative");
        yield return new TestCaseData(valid with { Padding = -1 }, "Padding neither");
        yield return new TestCaseData(valid with { Beside = -1 }, "Beside neither");
        foreach (var shape in new[] { valid with { H = 0 }, valid with { W = 0 }, valid with { Ic = 0 }, valid with { Oc = 0 }, valid with { R = 0 }, valid with { S = 0 }, valid with { Stride = 0 }, valid with { Groups = 0 } })
            yield return new TestCaseData(shape, "must be 1 or more");
        yield return new TestCaseData(valid with { Groups = 4 }, "multiples of Groups 4");
        yield return new TestCaseData(valid with { Groups = 3 }, "multiples of Groups 3");
        yield return new TestCaseData(valid with { R = 6 }, "the padded input 5×5 is smaller than the kernel 6×3");
        yield return new TestCaseData(valid with { S = 8, Padding = 1 }, "the padded input 7×7 is smaller than the kernel 3×8");
        yield return new TestCaseData(valid with { B = 30_000_000 }, "use smaller batches");
    }

    [TestCaseSource(nameof(Invalid))]
    public void Wrong_SaysWhatIsWrong_InOneSentence(ConvolutionShape shape, string part)
    {
        Assert.That(shape.Wrong(), Does.Contain(part));
        var device = Devices.Cpu;
        using var empty = device.Allocate(0);
        var thrown = Assert.Throws<ArgumentException>(() => Convolution.Forward(device, shape, empty, empty, empty, empty, empty.View))!;
        Assert.That(thrown.Message, Does.Contain(part).And.Not.Contain("\n"));
    }

    [TestCase(224, 11, 4, 2, ExpectedResult = 55)]
    [TestCase(7, 3, 1, 1, ExpectedResult = 7)]
    [TestCase(8, 3, 2, 0, ExpectedResult = 3)]
    [TestCase(4, 5, 3, 1, ExpectedResult = 1)]
    public int OutputSide(int side, int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(1, side, side, 1, 1, kernel, kernel, stride, padding);
        Assert.That(shape.Q, Is.EqualTo(shape.P));
        return shape.P;
    }
}
