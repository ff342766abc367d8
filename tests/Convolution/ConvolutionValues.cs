using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>Every variant against values that follow from the definition by hand, in whole numbers: no rounding, no tolerance, and no Reference to believe.</summary>
/// <remarks>Nothing runs beside it, see <see cref="VariantsAgree"/>.</remarks>
[TestFixture]
public sealed class ConvolutionValues
{
    public static IEnumerable<TestCaseData> ForwardVariants() => Variants(Convolution.ForwardOperation);

    public static IEnumerable<TestCaseData> GroupVariants() => Variants(Convolution.ForwardOperation, groups: 2);

    public static IEnumerable<TestCaseData> DataVariants() => Variants(Convolution.BackwardDataOperation);

    public static IEnumerable<TestCaseData> WeightVariants() => Variants(Convolution.BackwardWeightsOperation);

    [TestCaseSource(nameof(ForwardVariants))]
    public void Forward_OfOnes_CountsTheTapsInside(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(1, 3, 4, 2, 1, 3, 3, Padding: 1);
        float[] y = Run(Convolution.ForwardOperation, variant, device, shape, Filled(shape.XLength, 1), Filled(shape.WLength, 1), [0.5f], [])[3];
        Assert.That(y, Is.EqualTo(new[] { 8.5f, 12.5f, 12.5f, 8.5f, 12.5f, 18.5f, 18.5f, 12.5f, 8.5f, 12.5f, 12.5f, 8.5f }));
    }

    /// <summary>A single 1 among the weights: y is x moved by that tap, not mirrored (a correlation).</summary>
    [TestCaseSource(nameof(ForwardVariants))]
    public void Forward_WithOneTap_MovesTheImage(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(1, 2, 3, 2, 1, 3, 3, Padding: 1, HasBias: 0);
        float[] x = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60], w = new float[18];
        w[(0 * 3 + 2) * 2 + 1] = 1; // row above, column to the right, second channel
        Assert.That(Run(Convolution.ForwardOperation, variant, device, shape, x, w, [], [])[3], Is.EqualTo(new float[] { 0, 0, 0, 20, 30, 0 }));
    }

    [TestCaseSource(nameof(GroupVariants))]
    public void Forward_InGroups_ReadsItsOwnChannels_AndReluCutsBelowZero(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(1, 1, 2, 4, 2, 1, 1, Groups: 2, Relu: 1);
        // w [1,1,2,2]: output 0 = x0 − x1 + 1, output 1 = 2·x2 + 3·x3 − 7
        float[] w = [1, 2, -1, 3], b = [1, -7], x = [5, 2, 1, 1, 1, 9, 2, 2];
        Assert.That(Run(Convolution.ForwardOperation, variant, device, shape, x, w, b, [])[3], Is.EqualTo(new float[] { 4, 0, 0, 3 }));
    }

    /// <summary>Stride 2 with a kernel of 2 leaves the last column of 5 unread: its gradient is 0; the mask takes the output that is not above 0.</summary>
    [TestCaseSource(nameof(DataVariants))]
    public void BackwardData_ThroughAStride_ReachesWhatWasRead(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(1, 1, 5, 1, 1, 1, 2, Stride: 2, Relu: 1);
        float[] w = [3, 5], y = [0, 2], dy = [7, 11];
        Assert.That(Run(Convolution.BackwardDataOperation, variant, device, shape, w, y, dy, [])[3], Is.EqualTo(new float[] { 0, 0, 33, 55, 0 }));
    }

    /// <summary>Stride 1, kernel 1×3, padding 1 around: each input pixel gathers its neighbours' gradients through the mirrored weights.</summary>
    [TestCaseSource(nameof(DataVariants))]
    public void BackwardData_MirrorsTheKernel(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(1, 1, 3, 1, 1, 3, 3, Padding: 1);
        float[] w = [0, 0, 0, 1, 10, 100, 0, 0, 0], dy = [1, 2, 3];
        Assert.That(Run(Convolution.BackwardDataOperation, variant, device, shape, w, [], dy, [])[3], Is.EqualTo(new float[] { 12, 123, 230 }));
    }

    [TestCaseSource(nameof(WeightVariants))]
    public void BackwardWeights_SumsOverPixelsAndImages(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(2, 1, 3, 1, 2, 1, 2, Relu: 1);
        float[] x = [1, 2, 3, 4, 5, 6];
        // y and dy [2 images, 2 pixels, 2 channels]; the second image's first pixel is masked in channel 0.
        float[] y = [1, 1, 1, 1, 0, 1, 1, 1], dy = [1, 10, 1, 10, 7, 10, 2, 20];
        float[][] results = Run(Convolution.BackwardWeightsOperation, variant, device, shape, x, y, dy, [], []);
        Assert.That(results[3], Is.EqualTo(new float[] { 1 + 2 + 2 * 5, 10 * (1 + 2 + 4) + 20 * 5, 2 + 3 + 2 * 6, 10 * (2 + 3 + 5) + 20 * 6 }), "dw");
        Assert.That(results[4], Is.EqualTo(new float[] { 4, 50 }), "db");
    }

    [TestCaseSource(nameof(WeightVariants))]
    public void BackwardWeights_OfNoImages_AreZero(Variant variant, Device device)
    {
        var shape = new ConvolutionShape(0, 4, 4, 2, 3, 3, 3);
        float[][] results = Run(Convolution.BackwardWeightsOperation, variant, device, shape, [], [], [], [], []);
        Assert.That(results[3].Concat(results[4]), Has.All.EqualTo(0f));
    }

    private static IEnumerable<TestCaseData> Variants(Operation operation, int groups = 1)
        => from pair in Devices.VariantsOf(operation, new ConvolutionShape(1, 3, 3, groups, groups, 1, 1, Groups: groups))
           select new TestCaseData(pair.Variant, pair.Device).SetArgDisplayNames(pair.Variant.Name, pair.Device.Kind.ToString());

    private static float[][] Run(Operation operation, Variant variant, Device device, ConvolutionShape shape, params float[][] buffers)
        => VariantsAgree.Run(operation, variant, device, shape, buffers);

    private static float[] Filled(int length, float value)
    {
        var values = new float[length];
        Array.Fill(values, value);
        return values;
    }
}
