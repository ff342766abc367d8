using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Sizes, and the pixels that come of them.</summary>
public sealed class Resizing
{
    [TestCase("native", 480, 640, 480, 640)]
    [TestCase("shorter:240", 480, 640, 240, 320)]
    [TestCase("shorter:240", 640, 480, 320, 240)]
    [TestCase("shorter:480", 74, 99, 480, 642)]
    [TestCase("shorter:100", 333, 500, 100, 150)]
    [TestCase("longest:1024", 480, 640, 480, 640)]
    [TestCase("longest:320", 480, 640, 240, 320)]
    [TestCase("longest:8", 1000, 2, 8, 1)]
    [TestCase("224x168", 480, 640, 224, 168)]
    public void Policies_give_height_and_width(string policy, int height, int width, int toHeight, int toWidth)
    {
        var parsed = ResizePolicy.Parse(policy);
        Assert.That(parsed.Apply(height, width), Is.EqualTo((toHeight, toWidth)));
        Assert.That(parsed.ToString(), Is.EqualTo(policy));
        Assert.That(ResizePolicy.Parse(parsed.ToString()), Is.EqualTo(parsed));
    }

    [TestCase("")]
    [TestCase("480")]
    [TestCase("0x640")]
    [TestCase("480x640x3")]
    [TestCase("shorter:-1")]
    [TestCase("shorter:99999")]
    [TestCase("Longest")]
    public void What_is_no_size_is_refused(string text)
        => Assert.That(
            () => ResizePolicy.Parse(text),
            Throws.TypeOf<UserErrorException>().With.Message.EqualTo(
                $"The image size '{text}' is not understood; write native, shorter:480, longest:1024, or 480x640 (height first), with sides from 1 to 16384."));

    [Test]
    public void Shrinking_takes_every_pixel_into_account()
    {
        // Stripes finer than the result: their mean must come out, and no moiré.
        var image = Make(64, 64, (y, x) => (byte)((x + y) % 2 * 255));
        Assert.That(Resampling.Resize(image, 8, 8).Rgb, Has.All.InRange(124, 131));
    }

    [Test]
    public void Flat_stays_flat_and_the_same_size_is_untouched()
    {
        var image = Make(37, 53, (_, _) => 255);
        Assert.That(Resampling.Resize(image, 90, 11).Rgb, Has.All.EqualTo(255));
        Assert.That(Resampling.Resize(image, 37, 53).Rgb, Is.SameAs(image.Rgb));
    }

    [Test]
    public void A_ramp_is_shrunk_to_a_ramp()
    {
        var shrunk = Resampling.Resize(Make(4, 256, (_, x) => (byte)x), 4, 64);
        for (var x = 2; x < 62; x++)
            Assert.That((int)shrunk.Rgb[x * 3], Is.EqualTo(4 * x + 1.5).Within(0.51));
    }

    [Test]
    public void Pixels_equal_those_of_Pillows_bilinear_filter()
    {
        // Made once with Image.resize((w, h), Image.BILINEAR) from this same pattern.
        var image = Make(7, 11, (y, x) => (byte)((x * 37 + y * 71 + x * y * 13) % 256));
        Assert.That(Channel(Resampling.Resize(image, 3, 4)), Is.EqualTo(PillowDown));
        Assert.That(Channel(Resampling.Resize(image, 9, 5)), Is.EqualTo(PillowMixed));
    }

    [Test]
    public void Preprocessing_subtracts_scales_and_flips()
    {
        var image = new PixelImage(1, 2, [10, 20, 30, 40, 50, 60]);
        var result = new float[6];
        new Preprocessing([1, 2, 3], [1, 10, 100]).Apply(image, result);
        Assert.That(result, Is.EqualTo(new float[] { 9, 180, 2700, 39, 480, 5700 }));
        new Preprocessing([1, 2, 3], [1, 10, 100]).Apply(image, result, flip: true);
        Assert.That(result, Is.EqualTo(new float[] { 39, 480, 5700, 9, 180, 2700 }));
    }

    [Test]
    public void Preprocessings_are_equal_by_value()
    {
        var again = new Preprocessing([.. Preprocessing.Vgg.Mean], [.. Preprocessing.Vgg.Scale]);
        Assert.That((again, again.GetHashCode()), Is.EqualTo((Preprocessing.Vgg, Preprocessing.Vgg.GetHashCode())));
        Assert.That(again, Is.Not.EqualTo(Preprocessing.ImageNet));
    }

    private static byte[] Channel(PixelImage image) => [.. image.Rgb.Where((_, i) => i % 3 == 0)];

    private static PixelImage Make(int height, int width, Func<int, int, byte> value)
    {
        var rgb = new byte[height * width * 3];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = value(i / 3 / width, i / 3 % width);
        return new PixelImage(height, width, rgb);
    }

    private static readonly byte[] PillowDown =
    [97, 120, 117, 88, 118, 110, 127, 132, 112, 134, 139, 140];
    private static readonly byte[] PillowMixed =
    [
        30, 102, 175, 66, 84, 84, 137, 108, 126, 73, 126, 122, 99, 125, 87, 138, 88, 121, 102, 118, 116, 113, 91, 156, 143, 104,
        113, 133, 144, 131, 118, 131, 152, 131, 151, 124, 120, 159, 129, 149, 105, 70, 161, 140, 105,
    ];
}
