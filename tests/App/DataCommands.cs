using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>data make-city</c> and <c>data inspect</c> from end to end.</summary>
[TestFixture, Parallelizable]
public sealed class DataCommands
{
    [Test]
    public void ACityIsMadeAndInspected()
    {
        using var folder = new TemporaryFolder();
        var made = Netvlad.RunIn(folder.Path, ["data", "make-city", "town", .. SmallCity.Size, "--json"]).Done().Json();
        Assert.That(made.GetProperty("images").GetInt32(), Is.EqualTo(Directory.GetFiles(folder["town"], "*.jpg", SearchOption.AllDirectories).Length));
        var splits = Netvlad.RunIn(folder.Path, "data", "inspect", "town", "--output", "seen", "--json").Done().Json().GetProperty("splits").EnumerateArray().ToArray();
        Assert.That(splits.Select(s => s.GetProperty("split").GetString()), Is.EquivalentTo(new[] { "train", "val", "test" }));
        foreach (var split in splits)
        {
            Assert.That(split.GetProperty("queriesWithoutAnswer").GetInt32(), Is.Zero);
            foreach (var picture in split.GetProperty("pictures").EnumerateArray())
                Assert.That(new FileInfo(folder[picture.GetString()!]).Length, Is.Positive);
        }
    }

    [Test]
    public void AFolderWithOtherThingsIsNotOverwritten()
    {
        using var folder = new TemporaryFolder();
        folder.Write("thesis.txt", "years of work");
        Assert.That(Netvlad.Run(["data", "make-city", folder.Path, .. SmallCity.Size]).Refused(), Does.Contain(folder.Path));
        Assert.That(File.ReadAllText(folder["thesis.txt"]), Is.EqualTo("years of work"));
    }

    /// <summary>No one may make a folder below a file, the superuser neither.</summary>
    [Test]
    public void APlaceThatCannotBeWrittenIsNamed()
    {
        using var folder = new TemporaryFolder();
        string below = Path.Combine(folder.Write("file", "x"), "town");
        Assert.That(Netvlad.Run(["data", "make-city", below, .. SmallCity.Size]).Refused(), Does.Contain("file"));
    }

    [Test]
    public void AMissingSetIsNamed()
        => Assert.That(Netvlad.Run("data", "inspect", "/there/is/none").Refused(), Does.Contain("/there/is/none"));

    [Test]
    public void AMissingSetIsAJsonDocumentToo()
    {
        var answer = Netvlad.Run("data", "inspect", "/there/is/none", "--json");
        Assert.That(answer.Json().GetProperty("error").GetString(), Is.EqualTo(answer.Refused()));
    }

    [Test]
    public void AMissingSplitIsNamed()
        => Assert.That(Netvlad.Run("data", "inspect", SmallCity.Folder, "--split", "nights").Refused(), Does.Contain("nights").And.Contain("train, val").Or.Contain("test, train, val"));

    [TestCase(false)]
    [TestCase(true)]
    public void PicturesThatAreNotReadAreCounted(bool table)
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@0@0@.png", "database/@100@0@.png", "queries/@3@0@.png");
        folder.Write("database/@200@0@.heic", "x");
        folder.Write("queries/@200@0@.heic", "x");
        folder.Write("queries/@200@0@.avif", "x");
        if (table)
            folder.Write("ground_truth.csv", "query,database\n@3@0@.png,@0@0@.png\n");
        var run = Netvlad.Run("data", "inspect", folder.Path, "--json").Done();
        Assert.That(run.Errors.Split(": 1 .avif, 2 .heic files are not read: convert to JPEG, PNG or WebP."), Has.Length.EqualTo(2));
        Assert.That(run.Json().GetProperty("splits")[0].GetProperty("passedOver").GetProperty(".heic").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public void ACorruptImageAmongGoodOnesIsListed()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@0@0@.png", "database/@100@0@.png", "queries/@3@0@.png");
        folder.Write("database/@200@0@.png", "no picture");
        var split = Netvlad.Run("data", "inspect", folder.Path, "--json").Done().Json().GetProperty("splits")[0];
        Assert.That(split.GetProperty("badImages").GetArrayLength(), Is.EqualTo(1));
        Assert.That(split.GetProperty("badImages")[0].GetProperty("path").GetString(), Does.EndWith("@200@0@.png"));
    }
}
