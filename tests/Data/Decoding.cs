using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>From files to upright pixels.</summary>
public sealed class Decoding
{
    private static readonly SkiaImageDecoder Decoder = new();

    [Test]
    public void Png_comes_out_byte_for_byte()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.png", SmallImage.Png(3, 5, (x, y) => ((byte)(10 * x), (byte)(20 * y), 7, 255)));
        var image = Decoder.Decode(path, ResizePolicy.Native);
        Assert.That((image.Height, image.Width), Is.EqualTo((3, 5)));
        Assert.That(image.Rgb.AsSpan((2 * 5 + 4) * 3, 3).ToArray(), Is.EqualTo(new byte[] { 40, 40, 7 }));
        Assert.That(Decoder.ReadSize(path), Is.EqualTo((3, 5)));
    }

    [TestCase(SKEncodedImageFormat.Jpeg, "jpg", 3)]
    [TestCase(SKEncodedImageFormat.Webp, "webp", 6)]
    public void Lossy_formats_come_out_near(SKEncodedImageFormat format, string ending, int tolerance)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write($"a.{ending}", SmallImage.Encode(32, 48, (_, _) => (200, 100, 50, 255), format));
        var image = Decoder.Decode(path, ResizePolicy.Native);
        Assert.That((image.Height, image.Width, Decoder.ReadSize(path)), Is.EqualTo((32, 48, (32, 48))));
        for (var i = 0; i < image.Rgb.Length; i++)
            Assert.That((int)image.Rgb[i], Is.EqualTo(new[] { 200, 100, 50 }[i % 3]).Within(tolerance));
    }

    [TestCase(SKEncodedImageFormat.Jpeg)]
    [TestCase(SKEncodedImageFormat.Png)]
    public void Grey_fills_all_three_channels(SKEncodedImageFormat format)
    {
        using var folder = new TemporaryFolder();
        var image = Decoder.Decode(folder.Write("grey", SmallImage.Grey(8, 8, 90, format)), ResizePolicy.Native);
        Assert.That(image.Rgb, Has.All.InRange(89, 91));
    }

    [Test]
    public void Alpha_is_laid_over_white()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.png", SmallImage.Png(1, 3, (x, _) => (100, 0, 200, (byte)(x == 0 ? 0 : x == 1 ? 128 : 255))));
        Assert.That(Decoder.Decode(path, ResizePolicy.Native).Rgb, Is.EqualTo(new byte[] { 255, 255, 255, 177, 127, 227, 100, 0, 200 }));
    }

    // Corners of the stored image are a b / c d; what they are after it is turned upright, by the EXIF standard.
    [TestCase(1, "abcd", 48, 64)]
    [TestCase(2, "badc", 48, 64)]
    [TestCase(3, "dcba", 48, 64)]
    [TestCase(4, "cdab", 48, 64)]
    [TestCase(5, "acbd", 64, 48)]
    [TestCase(6, "cadb", 64, 48)]
    [TestCase(7, "dbca", 64, 48)]
    [TestCase(8, "bdac", 64, 48)]
    public void Orientation_of_the_camera_is_undone(int orientation, string corners, int height, int width)
    {
        using var folder = new TemporaryFolder();
        byte[] levels = [10, 90, 170, 250];
        var jpeg = SmallImage.Encode(48, 64, (x, y) => { var v = levels[(y < 24 ? 0 : 2) + (x < 32 ? 0 : 1)]; return (v, v, v, 255); }, SKEncodedImageFormat.Jpeg);
        var path = folder.Write("a.jpg", SmallImage.WithOrientation(jpeg, orientation));
        var image = Decoder.Decode(path, ResizePolicy.Native);
        Assert.That((image.Height, image.Width, Decoder.ReadSize(path)), Is.EqualTo((height, width, (height, width))));
        var found = string.Concat(new[] { (4, 4), (4, width - 5), (height - 5, 4), (height - 5, width - 5) }
            .Select(at => "abcd"[Array.FindIndex(levels, level => Math.Abs(level - image.Rgb[(at.Item1 * width + at.Item2) * 3]) < 20)]));
        Assert.That(found, Is.EqualTo(corners));
    }

    [TestCase("jpg")]
    [TestCase("png")]
    [TestCase("webp")]
    public void A_file_that_ends_early_is_refused_and_not_half_grey(string ending)
    {
        using var folder = new TemporaryFolder();
        var whole = Photograph(ending);
        foreach (var share in new[] { 0.3, 0.5, 0.9 })
        {
            var path = folder.Write($"cut {share}.{ending}", whole[..(int)(whole.Length * share)]);
            var e = Assert.Throws<ImageException>(() => Decoder.Decode(path, ResizePolicy.Native))!;
            Assert.That((e.Path, e.Message), Is.EqualTo((path, $"The image {path} cannot be used: {e.Reason}.")));
        }
    }

    [Test]
    public void Damage_inside_a_png_is_refused()
    {
        using var folder = new TemporaryFolder();
        var bytes = Photograph("png");
        bytes.AsSpan(bytes.Length / 2, 40).Fill(0x5A);
        var path = folder.Write("a.png", bytes);
        Assert.That(() => Decoder.Decode(path, ResizePolicy.Native), Throws.TypeOf<ImageException>());
    }

    [Test]
    public void What_is_no_image_is_refused_with_the_reason()
    {
        using var folder = new TemporaryFolder();
        Refused(folder.Write("empty.jpg", []), "the file is empty");
        Refused(folder.Write("text.jpg", "not an image at all"), "it is no JPEG, PNG or WebP image, or its header is damaged");
        Refused(folder["nowhere.jpg"], "there is no such file");
        Refused(Directory.CreateDirectory(folder["folder.jpg"]).FullName, "it is a folder");

        void Refused(string path, string reason)
        {
            Assert.That(Assert.Throws<ImageException>(() => Decoder.Decode(path, ResizePolicy.Native))!.Reason, Is.EqualTo(reason));
            Assert.That(Assert.Throws<ImageException>(() => Decoder.ReadSize(path))!.Reason, Is.EqualTo(reason));
        }
    }

    [Test]
    public void An_absurdly_large_image_is_refused_by_its_header()
    {
        using var folder = new TemporaryFolder();
        var bytes = SmallImage.Png(4, 4, (_, _) => (1, 2, 3, 255));
        // The first chunk of a PNG: width and height at 16, checksum of the chunk at 29.
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 60000);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 60000);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), System.IO.Hashing.Crc32.HashToUInt32(bytes.AsSpan(12, 17)));
        var path = folder.Write("bomb.png", bytes);
        Assert.That(
            Assert.Throws<ImageException>(() => Decoder.Decode(path, ResizePolicy.Native))!.Reason,
            Is.EqualTo("its 60000×60000 pixels are more than the 120 million that are decoded"));
        Assert.That(() => Decoder.ReadSize(path), Throws.TypeOf<ImageException>());
    }

    [Test]
    public void Decoding_resizes_the_upright_image()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.jpg", SmallImage.WithOrientation(SmallImage.Encode(48, 64, (_, _) => (1, 2, 3, 255), SKEncodedImageFormat.Jpeg), 6));
        var image = Decoder.Decode(path, ResizePolicy.Exact(32, 16));
        Assert.That((image.Height, image.Width), Is.EqualTo((32, 16)));
    }

    /// <summary>A smooth picture whose sides no scale divides: a column too many at the end would move all the others.</summary>
    [TestCase(SKEncodedImageFormat.Jpeg, 40, 30)]
    [TestCase(SKEncodedImageFormat.Jpeg, 61, 47)]
    [TestCase(SKEncodedImageFormat.Jpeg, 130, 97)]
    [TestCase(SKEncodedImageFormat.Png, 40, 30)]
    public void A_large_image_comes_out_as_if_all_of_it_had_been_resized(SKEncodedImageFormat format, int height, int width)
    {
        using var folder = new TemporaryFolder();
        var bytes = SmallImage.Encode(521, 389, (x, y) => ((byte)(127 + 120 * Math.Sin(x * 0.05)), (byte)(127 + 120 * Math.Sin((x + y) * 0.08)), (byte)(y / 3), 255), format, 95);
        foreach (var orientation in format == SKEncodedImageFormat.Jpeg ? new[] { 1, 6 } : [1])
        {
            var path = folder.Write($"{orientation}", orientation == 1 ? bytes : SmallImage.WithOrientation(bytes, orientation));
            var (h, w) = orientation == 1 ? (height, width) : (width, height);
            var whole = Decoder.Decode(path, ResizePolicy.Native);
            var expected = Resampling.Resize(whole, h, w).Rgb;
            var found = Decoder.Decode(path, ResizePolicy.Exact(h, w)).Rgb;
            Assert.That(Math.Sqrt(found.Zip(expected).Average(p => Math.Pow(p.First - p.Second, 2))), Is.LessThan(1.5), $"levels, orientation {orientation}");
        }
    }

    [Test]
    public void Up_to_four_times_the_size_wanted_the_whole_image_counts_bit_for_bit()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.jpg", Photograph("jpg"));
        var whole = Decoder.Decode(path, ResizePolicy.Native);
        // 120×160 at a half is 60×80: less than twice 31 rows, so that nothing is reduced.
        Assert.That(Decoder.Decode(path, ResizePolicy.Exact(31, 40)).Rgb, Is.EqualTo(Resampling.Resize(whole, 31, 40).Rgb));
        Assert.That(Decoder.Decode(path, ResizePolicy.Exact(30, 40)).Rgb, Is.Not.EqualTo(Resampling.Resize(whole, 30, 40).Rgb), "noise shows that this one is");
    }

    [Test]
    public void Several_threads_may_decode_at_once()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.jpg", Photograph("jpg"));
        var first = Decoder.Decode(path, ResizePolicy.ShorterSide(40)).Rgb;
        Parallel.For(0, 32, _ => Assert.That(new SkiaImageDecoder().Decode(path, ResizePolicy.ShorterSide(40)).Rgb, Is.EqualTo(first)));
    }

    private static byte[] Photograph(string ending)
    {
        var random = new Random(3);
        return SmallImage.Encode(
            120, 160, (x, y) => ((byte)(x + random.Next(40)), (byte)(y + random.Next(40)), (byte)random.Next(256), 255),
            ending switch { "jpg" => SKEncodedImageFormat.Jpeg, "png" => SKEncodedImageFormat.Png, _ => SKEncodedImageFormat.Webp }, 90);
    }
}
