using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>Rows of a map that are computed band by band, from rings of rows and into such, are those of the whole map, bit for bit.</summary>
[TestFixture]
public sealed class ConvolutionBands
{
    // Rows, the ring of x, the ring of y: bands that end within a ring and at its end, a last row of tiles that the map cuts.
    [TestCase("host-winograd", 8, 12, 8, false)]
    [TestCase("host-winograd", 4, 9, 12, false)]
    [TestCase("host-winograd", 12, 17, 12, false)]
    [TestCase("host-winograd", 8, 11, 6, true)]
    [TestCase("host-winograd", 4, 27, 13, true)]
    [TestCase("host-winograd", 8, 12, 8, false, 26, 128)] // a last row of half tiles
    [TestCase("host-winograd", 12, 17, 6, true, 26, 128)]
    [TestCase("host-6x4v", 5, 8, 7, false)]
    [TestCase("host-6x4v", 1, 3, 1, false)]
    public void Bands_AreTheRowsOfTheMap(string variant, int rows, int xRing, int yRing, bool pooled, int height = 27, int channels = 20)
    {
        var shape = new ConvolutionShape(1, height, 46, variant == "host-winograd" ? channels : 5, channels == 20 ? 70 : channels, 3, 3, 1, 1, Relu: 1);
        var whole = ConvolutionBand.Whole(shape, pooled ? 1 : 0);
        var operation = pooled ? Convolution.ForwardPooledOperation : Convolution.ForwardOperation;
        var inputs = operation.InputsFor(shape, seed: 3);
        float[] expected = Run(operation, variant, shape, inputs);
        int length = whole.MapColumns * shape.Oc, written = 0;
        for (int first = 0; first < shape.P; first += rows)
        {
            var band = whole with { First = first, Rows = Math.Min(rows, shape.P - first), XRing = xRing, YRing = yRing };
            if (band.YEnd == band.YFirst)
                continue;
            Assert.That(band.Wrong(), Is.Null);
            // What the band does not read is not a number.
            var x = Enumerable.Repeat(float.NaN, (int)band.X.Length).ToArray();
            for (int row = band.XFirst; row < band.XEnd; row++)
                inputs[0].AsSpan(row * shape.W * shape.Ic, shape.W * shape.Ic).CopyTo(x.AsSpan(row % xRing * shape.W * shape.Ic));
            float[] y = Run(Convolution.ForwardBandOperation, variant, band, [x, inputs[1], inputs[2], [.. Enumerable.Repeat(-7f, (int)band.Y.Length)]]);
            for (int row = band.YFirst; row < band.YEnd; row++, written++)
                Assert.That(y.AsSpan(row % yRing * length, length).SequenceEqual(expected.AsSpan(row * length, length)), $"row {row} of rows {first} to {first + band.Rows}");
            Assert.That(y.Count(v => v == -7f), Is.EqualTo((yRing - (band.YEnd - band.YFirst)) * length), "other rows are left as they are");
        }
        Assert.That(written, Is.EqualTo(whole.MapRows));
    }

    [Test]
    public void BandsThatCutTiles_AreLeftToOthers_AndRingsTooSmall_AreRefused()
    {
        var whole = ConvolutionBand.Whole(new ConvolutionShape(1, 27, 46, 20, 70, 3, 3, 1, 1, Relu: 1));
        Assert.That(Name(whole), Is.EqualTo("host-winograd"));
        Assert.That(Convolution.BandUnit(Devices.Cpu, whole), Is.EqualTo(4));
        Assert.That(Name(whole with { First = 2, Rows = 4 }), Is.EqualTo("host-6x4v"));
        Assert.That(Name(whole with { Rows = 6 }), Is.EqualTo("host-6x4v"));
        Assert.That(Name(whole with { Rows = 4, YRing = 6 }), Is.EqualTo("host-6x4v"));
        Assert.That((whole with { First = 8, Rows = 8, XRing = 9 }).Wrong(), Does.Contain("rows 7 to 17"));
        Assert.That((whole with { First = 8, Rows = 8, YRing = 7 }).Wrong(), Does.Contain("8 to 16"));
        Assert.That((whole with { First = 24, Rows = 4 }).Wrong(), Does.Contain("24 to 28"));

        static string Name(ConvolutionBand band) => Convolution.ForwardBandOperation.Choose(Devices.Cpu, band).Name;
    }

    private static float[] Run(Operation operation, string variant, object problem, float[][] buffers)
        => VariantsAgree.Run(operation, operation.AllVariants.Single(v => v.Name == variant), Devices.Cpu, problem, buffers)[3];
}
