using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Where a photograph was taken, by its name or by its camera.</summary>
[TestFixture, Parallelizable]
public sealed class PhotoPositions
{
    private static byte[] Jpeg => SmallImage.Encode(8, 8, (_, _) => (90, 90, 90, 255), SKEncodedImageFormat.Jpeg);

    [Test]
    public void TheCameraSaysDegreesAndMinutes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("IMG 1.jpg", SmallImage.WithPosition(Jpeg, 48, 30, 2, 15));
        Assert.That(PhotoPosition.Of(path), Is.EqualTo(new GeoPosition(48.5, -2.25)));
        Assert.That(PhotoPosition.Of(path).ToString(), Is.EqualTo("48.500000, -2.250000"));
        Assert.That(new SkiaImageDecoder().Decode(path, ResizePolicy.Native).Height, Is.EqualTo(8), "it is still an image");
    }

    [Test]
    public void ANameSaysItBeforeTheCamera()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("@0512082.82@5410169.55@32@U@048.84379@0009.16462@a@.jpg", SmallImage.WithPosition(Jpeg, 10, 0, 20, 0));
        Assert.That(PhotoPosition.Of(path), Is.EqualTo(new GeoPosition(48.84379, 9.16462)));
    }

    [TestCase("a.jpg")]
    [TestCase("@1@2@.jpg")]
    [TestCase("@1@2@32@U@@@x@.jpg", Description = "empty fields")]
    [TestCase("@1@2@32@U@91@0@x@.jpg", Description = "no latitude")]
    [TestCase("@1@2@32@U@NaN@0@x@.jpg")]
    [TestCase("me@1@2@32@U@48@9@x@.jpg", Description = "an @ in the middle")]
    public void NothingIsMadeUp(string name)
    {
        using var folder = new TemporaryFolder();
        Assert.That(PhotoPosition.Of(folder.Write(name, Jpeg)), Is.Null);
        Assert.That(PhotoPosition.Of(folder.Write($"0 {name}", SmallImage.WithPosition(Jpeg, 0, 0, 0, 0))), Is.Null, "a camera that does not know writes zeros");
    }

    [Test]
    public void FilesThatAreNoImages_SayNothing()
    {
        using var folder = new TemporaryFolder();
        Assert.That(PhotoPosition.Of(folder["missing.jpg"]), Is.Null);
        Assert.That(PhotoPosition.Of(folder.Write("text.jpg", "no picture")), Is.Null);
        Assert.That(PhotoPosition.Of(folder.Write("empty.jpg", "")), Is.Null);
        byte[] whole = SmallImage.WithPosition(Jpeg, 48, 30, 2, 15);
        foreach (int length in (int[])[3, 12, 40, 100, 160])
            Assert.That(() => PhotoPosition.Of(folder.Write($"cut {length}.jpg", whole[..length])), Throws.Nothing);
    }
}
