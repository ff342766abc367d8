using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>What is chosen on one chip and driver or another, as ILGPU and we find out of them.</summary>
[TestFixture]
public sealed class DrivenChips
{
    private static readonly ConvolutionShape Large = new(8, 60, 80, 256, 256, 3, 3, 1, 1);

    [TestCase("H100", 12080, "wgmma-tma-256x128x64")]
    [TestCase("H100", 12020, "wgmma-256x128x64", TestName = "WithoutTensorMaps_CopiesByThreads")]
    [TestCase("H100", 11080, "bf16-128x128x32", TestName = "ADriverBeforePtx80_TakesNoWgmma")]
    [TestCase("A100", 12080, "bf16-128x256x32")]
    [TestCase("RTX4090", 12080, "bf16-128x128x32")]
    [TestCase("T4", 12080, "simt-128x128x8", TestName = "AnOlderChip_HasSimtAlone")]
    public void OfALargeConvolution(string chip, int version, string expected)
    {
        using var device = Driven.Open(Precision.Bf16, chip, version);
        Assert.That(Convolution.ForwardOperation.Choose(device, Large).Name, Is.EqualTo(expected));
        // Not for want of shared memory alone.
        Assert.That(device.HasWgmma, Is.EqualTo(expected.StartsWith("wgmma", StringComparison.Ordinal)));
    }

    [Test]
    public void AnOlderChip_TakesTheKernelsInFp32()
    {
        using var device = Driven.Open(chip: "T4");
        Assert.That((device.HasTensorCores, device.HasWgmma, device.MostSharedBytes), Is.EqualTo((false, false, 63 * 1024)));
        var shape = new ConvolutionShape(1, 5, 7, 6, 9, 3, 3, 1, 1);
        var inputs = Convolution.ForwardOperation.InputsFor(shape, seed: 3);
        using var x = device.Allocate(inputs[0]);
        using var w = device.Allocate(inputs[1]);
        using var b = device.Allocate(inputs[2]);
        using var y = device.Allocate(shape.YLength);
        using var workspace = device.Allocate(Convolution.ForwardOperation.Workspace(device, shape));
        Convolution.ForwardOperation.Run(device, shape, [x, w, b, y], workspace);
        float[] found = device.Download(y.View);
        float[] expected = DeviceTests.VariantsAgree.Run(Convolution.ForwardOperation, Convolution.ForwardOperation.AllVariants[^1], Devices.Cpu, shape, inputs)[3];
        Assert.That(DeviceCheck.RelativeError(found, expected), Is.LessThan(Convolution.ForwardOperation.ToleranceOf(Convolution.ForwardOperation.AllVariants[^1], shape)));
    }
}
