using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>Which tile a layer of VGG-16 at 480×640 gets on tensor cores.</summary>
[TestFixture]
public sealed class TensorTileChoice
{
    [TestCase(Precision.Bf16, 8, 1, 64, 64, "bf16-128x64x32", TestName = "conv1_2: half of 128 columns would be empty")]
    [TestCase(Precision.Bf16, 8, 1, 3, 64, "bf16-taps-128x64x32", TestName = "conv1_1: 27 k in one step, where every tap for itself takes nine")]
    [TestCase(Precision.Tf32, 8, 1, 3, 64, "tf32-taps-128x64x16", TestName = "conv1_1 in tf32")]
    [TestCase(Precision.Bf16, 8, 2, 128, 128, "bf16-128x128x32", TestName = "conv2_2: whole tiles, and thousands")]
    [TestCase(Precision.Bf16, 1, 16, 512, 512, "bf16-128x64x32", TestName = "conv5_2 of one image: 40 wide tiles for 132 multiprocessors")]
    [TestCase(Precision.Bf16, 48, 16, 512, 512, "bf16-128x256x32", TestName = "conv5_2 of 48 images: seven waves of large tiles, fourteen of wide ones")]
    [TestCase(Precision.Bf16, 9, 16, 512, 512, "bf16-128x128x32", TestName = "conv5_2 of 9 images: two waves of large tiles, three of wide ones, which take half as long")]
    [TestCase(Precision.Bf16, 48, 16, 512, 640, "bf16-128x128x32", TestName = "640 columns: a sixth of three large tiles would be empty")]
    [TestCase(Precision.Tf32, 8, 2, 128, 128, "tf32-128x128x16", TestName = "conv2_2 in tf32")]
    [TestCase(Precision.Tf32, 48, 4, 256, 192, "tf32-128x64x16", TestName = "192 columns: a quarter of two wide tiles would be empty")]
    [TestCase(Precision.Tf32, 48, 4, 256, 320, "tf32-128x128x16", TestName = "320 columns: a sixth of three wide tiles, less than wide tiles save")]
    [TestCase(Precision.Fp32, 8, 2, 128, 128, "simt-128x128x8", TestName = "fp32 takes no tensor cores")]
    [TestCase(Precision.Fp32, 8, 1, 64, 64, "simt-128x64x8", TestName = "conv1_2 in fp32: half of 128 columns would be empty")]
    [TestCase(Precision.Fp32, 8, 1, 3, 64, "simt-128x64x8", TestName = "conv1_1 in fp32")]
    [TestCase(Precision.Fp32, 1, 8, 64, 64, "simt-32x32x16", TestName = "64 columns of a small map: 38 tiles for 132 multiprocessors")]
    [TestCase(Precision.Fp32, 48, 4, 256, 320, "simt-128x128x8", TestName = "320 columns in fp32: a sixth of three wide tiles, less than narrow ones save")]
    [TestCase(Precision.Fp32, 1, 16, 512, 512, "simt-32x32x16", TestName = "conv5_2 of one image in fp32: 40 large tiles for 132 multiprocessors")]
    [TestCase(Precision.Fp32, 48, 4, 256, 192, "simt-128x64x8", TestName = "192 columns in fp32: a quarter of two wide tiles would be empty")]
    public void Forward(Precision precision, int images, int down, int ic, int oc, string expected)
    {
        using var device = Device.Simulation(precision);
        Assert.That(Convolution.ForwardOperation.Choose(device, new(images, 480 / down, 640 / down, ic, oc, 3, 3, 1, 1, 1, 1)).Name, Is.EqualTo(expected));
    }

    /// <summary>Slices of pixels make tiles enough, so columns alone decide.</summary>
    [TestCase(Precision.Bf16, 64, "bf16-128x64x32")]
    [TestCase(Precision.Bf16, 128, "bf16-128x128x32")]
    [TestCase(Precision.Bf16, 512, "bf16-128x256x32")]
    [TestCase(Precision.Fp32, 64, "simt-32x32x16")]
    [TestCase(Precision.Fp32, 512, "simt-128x128x8")]
    public void BackwardWeights(Precision precision, int oc, string expected)
    {
        using var device = Device.Simulation(precision);
        Assert.That(Convolution.BackwardWeightsOperation.Choose(device, new(1, 30, 40, 512, oc, 3, 3, 1, 1, 1, 1)).Name, Is.EqualTo(expected));
    }
}
