using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Images that come from elsewhere than files.</summary>
[TestFixture, Parallelizable]
public sealed class PixelsInMemory
{
    [TestCase(PixelOrder.Rgb, new byte[] { 1, 2, 3, 4, 5, 6 }, new byte[] { 1, 2, 3, 4, 5, 6 })]
    [TestCase(PixelOrder.Bgr, new byte[] { 1, 2, 3, 4, 5, 6 }, new byte[] { 3, 2, 1, 6, 5, 4 })]
    [TestCase(PixelOrder.Rgba, new byte[] { 1, 2, 3, 9, 4, 5, 6, 9 }, new byte[] { 1, 2, 3, 4, 5, 6 })]
    [TestCase(PixelOrder.Bgra, new byte[] { 1, 2, 3, 9, 4, 5, 6, 9 }, new byte[] { 3, 2, 1, 6, 5, 4 })]
    [TestCase(PixelOrder.Grey, new byte[] { 7, 8 }, new byte[] { 7, 7, 7, 8, 8, 8 })]
    public void EveryOrderBecomesRgb_AlsoWithGapsBetweenRows(PixelOrder order, byte[] row, byte[] expected)
    {
        Assert.That(PixelImage.Of(row, 1, 2, order).Rgb, Is.EqualTo(expected));
        // The last row need not be followed by its gap.
        byte[] gaps = [.. row, 99, 99, 99, .. row];
        Assert.That(PixelImage.Of(gaps, 2, 2, order, row.Length + 3).Rgb, Is.EqualTo(expected.Concat(expected)));
    }

    [Test]
    public void WrongSizesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => PixelImage.Of(new byte[11], 2, 2));
        Assert.Throws<ArgumentException>(() => PixelImage.Of(new byte[12], 2, 2, PixelOrder.Rgba));
        Assert.Throws<ArgumentException>(() => PixelImage.Of(new byte[13], 2, 2, PixelOrder.Rgb, 8), "enough pixels, but for the gap");
        Assert.Throws<ArgumentException>(() => PixelImage.Of(new byte[100], 2, 2, PixelOrder.Rgb, 5), "rows that overlap");
        Assert.Throws<ArgumentOutOfRangeException>(() => PixelImage.Of(new byte[12], 0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => PixelImage.Of(new byte[12], 2, 2, (PixelOrder)9));
    }

    [Test]
    public void ACropIsThatPart()
    {
        var image = new PixelImage(4, 5, [.. Enumerable.Range(0, 60).Select(i => (byte)i)]);
        Assert.That(image.Crop(1, 2, 2, 3).Rgb, Is.EqualTo(new byte[] { 21, 22, 23, 24, 25, 26, 27, 28, 29, 36, 37, 38, 39, 40, 41, 42, 43, 44 }));
        Assert.That(image.Crop(0, 0, 4, 5).Rgb, Is.EqualTo(image.Rgb));
        foreach (var (top, left, height, width) in ((int, int, int, int)[])[(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (3, 0, 2, 1), (0, 3, 1, 3), (int.MaxValue, 0, 1, 1)])
            Assert.Throws<ArgumentException>(() => image.Crop(top, left, height, width));
    }

    [Test]
    public void ResizedAsTheDecoderDoes_AndDecodedFromMemoryAsFromAFile()
    {
        using var folder = new TemporaryFolder();
        byte[] file = SmallImage.Png(31, 40, (x, y) => ((byte)(6 * x), (byte)(8 * y), (byte)(x * y), 255));
        var decoder = new SkiaImageDecoder();
        var policy = ResizePolicy.LongestSide(17);
        byte[] expected = decoder.Decode(folder.Write("a.png", file), policy).Rgb;
        Assert.That(decoder.Decode(file, policy).Rgb, Is.EqualTo(expected));
        Assert.That(decoder.Decode(file, ResizePolicy.Native).Resized(policy).Rgb, Is.EqualTo(expected));
        byte[] turned = SmallImage.WithOrientation(SmallImage.Encode(8, 24, (x, _) => ((byte)(9 * x), 0, 0, 255), SKEncodedImageFormat.Jpeg), 6);
        Assert.That(decoder.Decode(turned, ResizePolicy.Native).Height, Is.EqualTo(24), "upright");
    }

    [Test]
    public void BrokenBytesAreNamed()
    {
        var decoder = new SkiaImageDecoder();
        Assert.That(Assert.Throws<ImageException>(() => decoder.Decode((ReadOnlySpan<byte>)[], ResizePolicy.Native, "frame 7"))!.Message, Does.Contain("frame 7").And.Contain("empty"));
        Assert.That(Assert.Throws<ImageException>(() => decoder.Decode("no image"u8, ResizePolicy.Native, "frame 8"))!.Message, Does.Contain("frame 8"));
    }
}
