using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Datasets whose file names hold the positions.</summary>
public sealed class NamedFiles
{
    private const string Near = "@100.5@200@17@T@40@-80@pano7@3@90.5@@@@20140312@note@.jpg";

    [Test]
    public void Fields_of_a_whole_name_are_read()
    {
        using var folder = new TemporaryFolder();
        folder.Images($"images/test/database/{Near}", "images/test/queries/@101@201@.PNG");
        var set = folder.Open("test");
        var image = set.Database[0];
        Assert.That((image.Easting, image.Northing, image.Panorama, image.Heading), Is.EqualTo((100.5, 200.0, "pano7", (double?)90.5)));
        Assert.That(DateTimeOffset.FromUnixTimeSeconds((long)image.Time!).Date, Is.EqualTo(new DateTime(2014, 3, 12)));
        Assert.That(set.Queries[0], Is.EqualTo(new ImageRecord(folder["images/test/queries/@101@201@.PNG"], 101, 201, null, null, null, null)));
        Assert.That((set.Name, set.Split), Is.EqualTo((Path.GetFileName(folder.Path), "test")));
    }

    [Test]
    public void An_at_sign_in_a_folder_above_is_no_field()
    {
        using var folder = new TemporaryFolder();
        folder.Images("images/test/database/@1@2@.jpg", "images/test/queries/@3@4@.jpg");
        Assert.That(folder.Path, Does.Contain("@"));
        Assert.That(folder.Open("test").Database[0].Easting, Is.EqualTo(1));
    }

    [TestCase("20140312", 2014, 3, 12)]
    [TestCase("201403", 2014, 3, 1)]
    [TestCase("2014-03-12", 2014, 3, 12)]
    [TestCase("1394582400", 2014, 3, 12)]
    [TestCase("1394582400.0", 2014, 3, 12)]
    public void A_timestamp_is_a_day_a_month_or_seconds(string written, int year, int month, int day)
        => Assert.That(
            DateTime.UnixEpoch.AddSeconds(NamedFileReader.Parse($"/x/@1@2@@@@@@@@@@@{written}@@.jpg").Time!.Value), Is.EqualTo(new DateTime(year, month, day)));

    [TestCase("jpg")]
    [TestCase("JPG")]
    [TestCase("Jpeg")]
    [TestCase("png")]
    [TestCase("WEBP")]
    public void Endings_count_in_any_case(string ending)
    {
        using var folder = new TemporaryFolder();
        folder.Images($"database/@1@2@.{ending}", "queries/@1@2@.jpg");
        folder.Write("database/notes.txt", "no image");
        folder.Images("database/.@5@6@.jpg");
        Assert.That(folder.Open().Database, Has.Count.EqualTo(1));
    }

    [Test]
    public void Order_is_ordinal_whatever_the_file_system_says()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@10@0@.jpg", "database/@9@0@.jpg", "database/@1@0@b.jpg", "database/@1@0@B.jpg", "database/@1@0@.jpg", "queries/@1@2@.jpg");
        Assert.That(
            folder.Open().Database.Select(image => Path.GetFileName(image.Path)),
            Is.EqualTo(new[] { "@10@0@.jpg", "@1@0@.jpg", "@1@0@B.jpg", "@1@0@b.jpg", "@9@0@.jpg" }));
    }

    [Test]
    public void Images_in_folders_of_folders_are_found()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/001/@2@0@.jpg", "database/000/@3@0@.jpg", "queries/@1@2@.jpg");
        Assert.That(folder.Open().Database.Select(image => image.Easting), Is.EqualTo(new[] { 3.0, 2.0 }));
    }

    [Test]
    public void Splits_are_listed_and_a_wrong_one_names_them()
    {
        using var folder = new TemporaryFolder();
        foreach (var split in new[] { "val", "train" })
            folder.Images($"images/{split}/database/@1@2@.jpg", $"images/{split}/queries/@1@2@.jpg");
        Assert.That(DatasetReader.Splits(folder.Path), Is.EqualTo(new[] { "train", "val" }));
        Assert.That(folder.Refusal("tset"), Does.EndWith("has no split tset; it has train, val."));
    }

    [Test]
    public void A_pair_of_folders_alone_is_the_split_all()
    {
        using var folder = new TemporaryFolder();
        folder.Images("database/@1@2@.jpg", "query/@5@2@.jpg");
        Assert.That(DatasetReader.Splits(folder.Path), Is.EqualTo(new[] { "all" }));
        Assert.That(folder.Open().Queries, Has.Count.EqualTo(1));
        Assert.That(folder.Refusal("0-1"), Does.EndWith("has no split 0-1; it has all."));
    }

    [TestCase("plain.jpg", "has no position in its name, which must begin with @easting@northing@; rename it, or give a ground_truth.csv or images.csv.")]
    [TestCase("@1.jpg", "has no position in its name, which must begin with @easting@northing@; rename it, or give a ground_truth.csv or images.csv.")]
    [TestCase("@12,5@3@.jpg", "has the easting '12,5' in its name, which is no number of metres.")]
    [TestCase("@1@@.jpg", "has the northing '' in its name, which is no number of metres.")]
    [TestCase("@1@NaN@.jpg", "has the northing 'NaN' in its name, which is no number of metres.")]
    [TestCase("@1@2@@@@@@@@@@@noon@@.jpg", "has the timestamp 'noon' in its name, which is no date (yyyyMMdd, yyyyMM) and no number of seconds.")]
    public void A_bad_name_is_refused_with_the_file(string name, string reason)
    {
        using var folder = new TemporaryFolder();
        folder.Images($"database/{name}", "queries/@1@2@.jpg");
        Assert.That(folder.Refusal(), Is.EqualTo($"{folder[$"database/{name}"]} {reason}"));
    }

    [Test]
    public void Empty_or_missing_folders_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.That(
            folder.Refusal(),
            Is.EqualTo($"{folder.Path} is no dataset: it holds neither images.csv, nor ground_truth.csv, nor folders database and queries, nor images/<split>/database and queries."));
        Assert.That(() => DatasetReader.Splits(folder.Path), Throws.TypeOf<Engine.UserErrorException>());
        Directory.CreateDirectory(folder["database"]);
        Directory.CreateDirectory(folder["queries"]);
        Assert.That(folder.Refusal(), Is.EqualTo($"The folder {folder["database"]} holds no image (jpg, jpeg, png, webp)."));
        Assert.That(
            () => DatasetReader.Open(folder["nowhere"], "all"),
            Throws.TypeOf<Engine.UserErrorException>().With.Message.EqualTo($"There is no dataset at {folder["nowhere"]}; name a folder, or a table of images."));
        Assert.That(
            () => DatasetReader.Open(" ", "all"), Throws.TypeOf<Engine.UserErrorException>().With.Message.EqualTo("The path of the dataset is empty; name a folder."));
    }
}
