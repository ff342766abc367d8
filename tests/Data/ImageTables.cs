using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Tables of images, images.csv.</summary>
public sealed class ImageTables
{
    [Test]
    public void Positions_times_and_panoramas_are_read_by_split()
    {
        using var folder = Table(
            "Path,SET,Split,Easting,Northing,Time,Panorama,Place,Heading\n"
            + "b.jpg,Database,train,10,20.5,201403,p1,,90\n"
            + "a.jpg,db,train,-1e3,2,,,,\n"
            + "\"c, d.jpg\",query,train,12,20,1394582400,,,\n"
            + "e.jpg,query,val,12,20,,,,\n"
            + "f.jpg,database,val,12,20,,,,\n");
        var set = folder.Open("train");
        Assert.That(set.Database.Select(image => image.Path), Is.EqualTo(new[] { folder["a.jpg"], folder["b.jpg"] }));
        Assert.That(
            (set.Database[1].Easting, set.Database[1].Northing, set.Block(1), set.Database[1].Heading), Is.EqualTo((10.0, 20.5, "p1", (double?)90)));
        Assert.That(set.Queries.Single().Path, Is.EqualTo(folder["c, d.jpg"]));
        Assert.That((set.HasTimes, set.HasExplicitTruth, set.GroundTruth(0)), Is.EqualTo((true, false, new[] { 1 })));
        Assert.That(DatasetReader.Splits(folder.Path), Is.EqualTo(new[] { "train", "val" }));
        Assert.That(folder.Open().Queries, Has.Count.EqualTo(2));
        Assert.That(folder.Refusal("test"), Does.EndWith("images.csv has no split test; it has train, val."));
    }

    [Test]
    public void Without_positions_the_same_place_is_a_right_answer()
    {
        using var folder = Table("path,set,place\nq1.jpg,query,hall\nq2.jpg,query,yard\nq3.jpg,query,roof\nd1.jpg,database,yard\nd2.jpg,database,hall\nd3.jpg,database,yard\n");
        var set = folder.Open();
        Assert.That(Enumerable.Range(0, 3).Select(set.GroundTruth), Is.EqualTo(new int[][] { [1], [0, 2], [] }));
        Assert.That((set.IsNegative(0, 1), set.IsNegative(0, 2)), Is.EqualTo((false, true)));
        var part = folder.Open("1-2");
        Assert.That(part.Database.Select(image => Path.GetFileName(image.Path)), Is.EqualTo(new[] { "d1.jpg", "d3.jpg" }));
        Assert.That(DatasetReader.Splits(folder.Path), Is.EqualTo(new[] { "all" }));
    }

    [Test]
    public void A_table_under_another_name_is_a_dataset_of_that_name()
    {
        using var folder = new TemporaryFolder();
        var table = folder.Write("walks.csv", "path;set;place\na.jpg;query;x\nb.jpg;database;x\n");
        Assert.That(DatasetReader.Open(table, "all").Name, Is.EqualTo("walks"));
    }

    [TestCase("a.jpg,database,1,x,\n", "images.csv, line 2: the northing 'x' is no number.")]
    [TestCase("a.jpg,database,1;5,2,\n", "images.csv, line 2: the easting '1;5' is no number.")]
    [TestCase("\na.jpg,database,1,,\n", "images.csv, line 3: the northing is missing beside the other coordinate.")]
    [TestCase("a.jpg,database,1,2,\nb.jpg,both,1,2,\n", "images.csv, line 3: the set 'both' is neither database nor query.")]
    [TestCase("a.jpg,,1,2,\n", "images.csv, line 2: the set is missing.")]
    [TestCase(",query,1,2,\n", "images.csv, line 2: the path is missing.")]
    [TestCase("a.jpg,query,1,2,yesterday\n", "images.csv, line 2: the time 'yesterday' is no date (yyyyMMdd, yyyyMM, yyyy-MM-dd) and no number of seconds.")]
    [TestCase("a.jpg,query,1,2,\nb.jpg,database,,,\n", "images.csv, line 3: the image has neither a position (easting and northing) nor a place.")]
    [TestCase("a.jpg,query,1,2,\nb.jpg,database,,,,x\n", "images.csv, line 2: the image has no place, and not every image of the split has a position to judge by.")]
    [TestCase("a.jpg,query,1,2,\n", "images.csv names no database image.")]
    public void A_bad_row_is_refused_with_its_line(string rows, string sentence)
    {
        using var folder = Table("path,set,easting,northing,time,place\n" + rows);
        Assert.That(folder.Refusal(), Is.EqualTo(Path.Combine(folder.Path, sentence)));
    }

    /// <summary>Sets whose order means something; others are sorted, so that it does not matter how the table was written.</summary>
    [Test]
    public void A_column_of_order_is_kept_to()
    {
        using var folder = Table("path,set,easting,northing,order\nb.jpg,query,1,2,3\nc.jpg,query,1,2,-1\na.jpg,query,1,2,10\nd.jpg,database,1,2,0\n");
        Assert.That(folder.Open().Queries.Select(image => Path.GetFileName(image.Path)), Is.EqualTo(new[] { "c.jpg", "b.jpg", "a.jpg" }));
        using var half = Table("path,set,easting,northing,order\nb.jpg,query,1,2,3\nd.jpg,database,1,2,\n");
        Assert.That(half.Refusal(), Does.EndWith("images.csv, line 3: the order is missing."));
        using var odd = Table("path,set,easting,northing,order\nb.jpg,query,1,2,3.5\n");
        Assert.That(odd.Refusal(), Does.EndWith("images.csv, line 2: the order '3.5' is no whole number."));
    }

    [Test]
    public void A_range_of_a_set_with_positions_is_refused()
    {
        using var folder = Table("path,set,easting,northing\na.jpg,query,1,2\nb.jpg,database,1,2\n");
        Assert.That(folder.Refusal("0-1"), Does.EndWith("is a range, which needs a listed truth; this set has positions, so name a split instead."));
    }

    private static TemporaryFolder Table(string text)
    {
        var folder = new TemporaryFolder();
        folder.Write("images.csv", text);
        return folder;
    }
}
