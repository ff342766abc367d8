using System.IO.Compression;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.DbStructs;
using IlgpuNetVlad.Tests.App;
using IlgpuNetVlad.Tests.Matlab;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>The benchmarks' MATLAB files and their images as a set.</summary>
[TestFixture]
public sealed class DbStructImports
{
    private static readonly MatlabBytes M = new();

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    /// <summary>Fields in the benchmarks' order, which tells their meaning too where <paramref name="names"/> are others.</summary>
    private string Write(string file, string split, string[] database, double[] utmDb, string[] queries, double[] utmQ, double[]? timesDb = null, double[]? timesQ = null, double radius = 25, string[]? names = null)
    {
        string[] fields = timesDb is null
            ? ["whichSet", "dbImageFns", "utmDb", "qImageFns", "utmQ", "numImages", "numQueries", "posDistThr", "posDistSqThr", "nonTrivPosDistSqThr"]
            : ["whichSet", "dbImageFns", "utmDb", "dbTimeStamp", "qImageFns", "utmQ", "qTimeStamp", "numImages", "numQueries", "posDistThr", "posDistSqThr", "nonTrivPosDistSqThr"];
        byte[] Cells(string[] list) => M.Cells("", [list.Length, 1], [.. list.Select(n => M.Text("", n))]);
        byte[] Number(double number) => M.Doubles("", [1, 1], number);
        byte[][] values =
        [
            M.Text("", split), Cells(database), M.Doubles("", [2, database.Length], utmDb), .. timesDb is null ? (byte[][])[] : [M.Doubles("", [1, database.Length], timesDb)],
            Cells(queries), M.Doubles("", [2, queries.Length], utmQ), .. timesQ is null ? (byte[][])[] : [M.Doubles("", [1, queries.Length], timesQ)],
            Number(database.Length), Number(queries.Length), Number(radius), Number(radius * radius), Number(100),
        ];
        return folder.Write(file, M.File(M.Compressed(M.Structs("dbStruct", [1, 1], names ?? fields, values))));
    }

    private string Pittsburgh(string file = "p.mat", string split = "val", double radius = 25, string[]? names = null)
        => Write(file, split, ["000/b.jpg", "000/a.jpg"], [1000.25, 2, 1100, 2], ["000/a.jpg", "000/c.jpg"], [1001, 3, 1099, 3], radius: radius, names: names);

    private string Refused(Func<DbStructImport> import, bool allowMissing = false)
    {
        string message = Assert.Throws<UserErrorException>(() => import().Write(folder["set"], allowMissing))!.Message;
        Assert.That(message, Does.EndWith(".").And.Not.Contains("\n"));
        return message;
    }

    [TestCase("images/", "queries/")]
    [TestCase("images/", "query/")]
    [TestCase("", "queries_real/")]
    [TestCase("database/", "queries/")]
    public void ImagesAreFound_InEveryArrangementOfFolders_InTheFilesOrder(string database, string queries)
    {
        folder.Images($"root/{database}000/a.jpg", $"root/{database}000/b.jpg", $"root/{queries}000/a.jpg", $"root/{queries}000/c.jpg");
        new DbStructImport([Pittsburgh()], folder["root"]).Write(folder["set"], allowMissing: false);
        var set = DatasetReader.Open(folder["set"], "val");
        Assert.That(set.Check, Throws.Nothing);
        Assert.That(set.Database.Select(i => (i.Path, i.Easting, i.Northing)), Is.EqualTo(new[] { (folder[$"root/{database}000/b.jpg"], 1000.25, 2.0), (folder[$"root/{database}000/a.jpg"], 1100, 2) }));
        Assert.That(set.Queries.Select(i => (i.Path, i.Easting)), Is.EqualTo(new[] { (folder[$"root/{queries}000/a.jpg"], 1001.0), (folder[$"root/{queries}000/c.jpg"], 1099) }));
        Assert.That((set.GroundTruth(0), set.GroundTruth(1), set.HasTimes, set.Block(0)), Is.EqualTo((new[] { 0 }, new[] { 1 }, false, (string?)null)));
    }

    /// <summary>Pittsburgh's database and queries share names; recall of a database asked for its own images would be 100 %.</summary>
    [Test]
    public void QueriesAreNeverTheDatabasesOwnImages()
    {
        folder.Images("root/000/a.jpg", "root/000/b.jpg", "root/000/c.jpg");
        Assert.That(Refused(() => new([Pittsburgh()], folder["root"])), Does.Contain("lacks 2 of the 4 images").And.Contain(folder["root/queries/000/a.jpg"]));
        Assert.That(Refused(() => new([Pittsburgh()], folder["root"], queryFolder: "")), Does.Contain("a query and a database image").And.Contain("--queries"));
    }

    [Test]
    public void FoldersMayBeNamed()
    {
        folder.Images("root/old/000/a.jpg", "root/old/000/b.jpg", "root/asked/000/a.jpg", "root/asked/000/c.jpg", "root/images/000/a.jpg");
        new DbStructImport([Pittsburgh()], folder["root"], "old", "asked").Write(folder["set"], allowMissing: false);
        Assert.That(DatasetReader.Open(folder["set"], "val").Queries[0].Path, Is.EqualTo(folder["root/asked/000/a.jpg"]));
    }

    /// <summary>Tokyo 24/7's database is listed as .jpg and comes as .png; twelve cutouts of it are one panorama, however they are called.</summary>
    [Test]
    public void Tokyo_KeepsItsOrder_ItsPanoramas_AndFindsPng()
    {
        string[] database = [.. Enumerable.Range(0, 24).Select(i => $"{(i < 12 ? 'z' : 'a')}/{23 - i:00}.jpg")], queries = ["00003.jpg", "00002.jpg", "00001.jpg"];
        folder.Images([.. database.Select(n => $"root/images/{Path.ChangeExtension(n, ".png")}"), .. queries.Select(n => $"root/query/{n}")]);
        double[] utm = [.. Enumerable.Range(0, 24).SelectMany(i => new double[] { i < 12 ? 5 : 900, 7 })];
        string file = Write("Tokyo247.mat", "test", database, utm, queries, [5, 8, 900, 8, 5, 8]);
        var import = new DbStructImport([file], folder["root"]);
        Assert.That(import.Splits[0].Panoramas, Is.EqualTo(2));
        import.Write(folder["set"], allowMissing: false);
        var set = DatasetReader.Open(folder["set"], "test");
        Assert.That(set.Database.Select(i => i.Path), Is.EqualTo(database.Select(n => folder[$"root/images/{Path.ChangeExtension(n, ".png")}"])));
        Assert.That(Enumerable.Range(0, 24).Select(set.Block), Is.EqualTo(Enumerable.Range(0, 24).Select(i => $"test-{i / 12}")));
        Assert.That(set.Queries.Select(i => Path.GetFileName(i.Path)), Is.EqualTo(queries), "day, sunset and night go by the order");
        Assert.That(Refused(() => new([file], folder["root"], panoramaBlock: 8)), Does.Contain("lie apart").And.Contain("--panorama-block"));
        Assert.That(Refused(() => new([file], folder["root"], panoramaBlock: 7)), Does.Contain("no blocks of 7"));
        Assert.That(new DbStructImport([file], folder["root"], panoramaBlock: 0).Splits[0].Panoramas, Is.Zero);
    }

    /// <summary>Queries and database lie in one folder, an image may be both, and answers of the query's own time do not count.</summary>
    [Test]
    public void TimeMachine_HasTimes([Values] bool named)
    {
        folder.Images("root/images/a.jpg", "root/images/b.jpg", "root/images/c.jpg", "root/images/d.jpg");
        string file = Write(
            "tokyoTM_val.mat", "val", ["a.jpg", "b.jpg", "d.jpg"], [0, 0, 1, 0, 500, 0], ["a.jpg", "c.jpg"], [0, 0, 2, 0], [201307, 201412, 201412], [201307, 201307],
            names: named ? null : [.. Enumerable.Range(0, 12).Select(i => $"f{i}")]);
        var import = new DbStructImport([file], folder["root"]);
        Assert.That(import.Splits[0].Times);
        import.Write(folder["set"], allowMissing: false);
        var set = DatasetReader.Open(folder["set"], "val");
        Assert.That(set.Check, Throws.Nothing);
        Assert.That((set.HasTimes, set.SharesTime(0, 0), set.SharesTime(0, 1)), Is.EqualTo((true, true, false)));
        Assert.That(set.Database[1].Time, Is.EqualTo((new DateTime(2014, 12, 1) - DateTime.UnixEpoch).TotalSeconds));
        Assert.That(set.PotentialPositives(0), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void FieldsOfOtherNames_AreTakenByTheirPlaces()
    {
        folder.Images("root/images/000/a.jpg", "root/images/000/b.jpg", "root/queries/000/a.jpg", "root/queries/000/c.jpg");
        new DbStructImport([Pittsburgh(names: [.. Enumerable.Range(0, 10).Select(i => $"f{i}")])], folder["root"]).Write(folder["set"], allowMissing: false);
        Assert.That(DatasetReader.Open(folder["set"], "val").Database[0].Easting, Is.EqualTo(1000.25));
        Assert.That(Refused(() => new([Pittsburgh(names: ["whichSet", .. Enumerable.Range(1, 9).Select(i => $"f{i}")])], folder["root"])), Does.Contain("lacks dbImageFns"), "some names are known: places mean nothing");
    }

    [Test]
    public void SeveralFiles_AreSplitsOfOneSet()
    {
        folder.Images("root/images/000/a.jpg", "root/images/000/b.jpg", "root/queries/000/a.jpg", "root/queries/000/c.jpg");
        new DbStructImport([Pittsburgh("1.mat", "val"), Pittsburgh("2.mat", "train")], folder["root"]).Write(folder["set"], allowMissing: false);
        Assert.That(DatasetReader.Splits(folder["set"]), Is.EqualTo(new[] { "train", "val" }));
        Assert.That(DatasetReader.Open(folder["set"], "train").Database, Has.Count.EqualTo(2));
        Assert.That(Refused(() => new([Pittsburgh("1.mat"), Pittsburgh("2.mat")], folder["root"])), Does.Contain("1.mat and").And.Contain("both of split val"));
    }

    [Test]
    public void MissingImages_AreCountedAndNamed_OrLeftOut()
    {
        folder.Images("root/images/000/b.jpg", "root/queries/000/c.jpg");
        Assert.That(Refused(() => new([Pittsburgh()], folder["root"])), Does.Contain("lacks 2 of the 4").And.Contain(folder["root/images/000/a.jpg"]).And.Contain("--allow-missing"));
        var import = new DbStructImport([Pittsburgh()], folder["root"]);
        import.Write(folder["set"], allowMissing: true);
        var set = DatasetReader.Open(folder["set"], "val");
        Assert.That((set.Database.Single().Easting, set.Queries.Single().Easting), Is.EqualTo((1000.25, 1099.0)), "the positions of those that are left");
        Assert.That(import.Splits[0].Notes.Single(), Does.Contain("--times-of-day"));
        File.Delete(folder["root/queries/000/c.jpg"]);
        Assert.That(Refused(() => new([Pittsburgh()], folder["root"]), allowMissing: true), Does.Contain("none of the queries").And.Contain("--queries"));
        File.Delete(folder["root/images/000/b.jpg"]);
        Assert.That(Refused(() => new([Pittsburgh()], folder["root"]), allowMissing: true), Does.Contain("none of the 4 images"));
        Assert.That(Refused(() => new([Pittsburgh()], folder["nowhere"])), Does.Contain("no folder"));
    }

    [Test]
    public void OtherThresholds_AreTold()
    {
        folder.Images("root/images/000/a.jpg", "root/images/000/b.jpg", "root/queries/000/a.jpg", "root/queries/000/c.jpg");
        Assert.That(new DbStructImport([Pittsburgh()], folder["root"]).Splits[0].Notes, Is.Empty);
        Assert.That(new DbStructImport([Pittsburgh(radius: 10)], folder["root"]).Splits[0].Notes.Single(), Does.Contain("within 10 m (posDistThr), and 25 m").And.Contain("--test-radius 10"));
    }

    [Test]
    public void WhatIsNoTruth_IsRefused()
    {
        Assert.That(Refused(() => new([folder.Write("x.mat", M.File(M.Doubles("x", [1, 1], 1)))], folder.Path)), Does.Contain("lacks dbStruct"));
        Assert.That(Refused(() => new([Write("y.mat", "val", ["a.jpg"], [1, 2, 3, 4], ["b.jpg"], [1, 2])], folder.Path)), Does.Contain("not a whole MATLAB file"));
        string few = folder.Write("z.mat", M.File(M.Structs("dbStruct", [1, 1], ["whichSet", "dbImageFns", "utmDb"], M.Text("", "val"), M.Cells("", [2, 1], M.Text("", "a.jpg"), M.Text("", "b.jpg")), M.Doubles("", [2, 1], 1, 2))));
        Assert.That(Refused(() => new([few], folder.Path)), Does.Contain("utmDb is of 2×1 and must be of 2×2"));
        Assert.That(Refused(() => new([Write("n.mat", "val", ["a.jpg"], [1, double.NaN], ["b.jpg"], [1, 2])], folder.Path)), Does.Contain("utmDb holds NaN"));
        Assert.That(Refused(() => new([Write("t.mat", "val", ["a.jpg"], [1, 2], ["b.jpg"], [1, 2], [double.PositiveInfinity], [1])], folder.Path)), Does.Contain("dbTimeStamp holds").And.Contain("no time"));
    }

    [Test]
    public void TheCommandWritesTheSet()
    {
        folder.Images("root/images/000/a.jpg", "root/images/000/b.jpg", "root/queries/000/a.jpg", "root/queries/000/c.jpg");
        Pittsburgh();
        Pittsburgh("q.mat", "test", radius: 30);
        var done = Netvlad.RunIn(folder.Path, "data", "import-dbstruct", "p.mat", "q.mat", "root", "set", "--json").Done().Json();
        Assert.That(done.GetProperty("splits").EnumerateArray().Select(s => s.GetProperty("split").GetString()), Is.EqualTo(new[] { "val", "test" }));
        File.Delete(folder["root/queries/000/c.jpg"]);
        Assert.That(Netvlad.RunIn(folder.Path, "data", "import-dbstruct", "q.mat", "root", "set").Refused(), Does.Contain("lacks 1 of the 4"));
        Assert.That(Netvlad.RunIn(folder.Path, "data", "import-dbstruct", "q.mat", "root", "set", "--allow-missing").Done().Output, Does.Contain("Warning: 1 of 4").And.Contain("Note: q.mat calls an answer right within 30 m"));
    }

    /// <summary>The benchmark's own file, against the positions that another project took from it, over empty files in the places of its images.</summary>
    [Test]
    public void Pittsburgh_HasThePositionsThatOthersRead()
    {
        string file = SharedFolder.Require("data", "splits", "pitts30k_test.mat");
        double[] database = Positions("pitts30k_test.npz", "utmDb"), queries = Positions("pitts30k_test.npz", "utmQ");
        var truth = DbStruct.Read(file);
        foreach (string path in truth.Database.Names.Select(n => folder[$"root/images/{n}"]).Concat(truth.Queries.Names.Select(n => folder[$"root/queries/{n}"])))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Create(path).Dispose();
        }
        var import = new DbStructImport([file], folder["root"]);
        import.Write(folder["set"], allowMissing: false);
        var set = DatasetReader.Open(folder["set"], "test");
        Assert.That(set.Database.SelectMany(i => new[] { i.Easting, i.Northing }), Is.EqualTo(database).AsCollection);
        Assert.That(set.Queries.SelectMany(i => new[] { i.Easting, i.Northing }), Is.EqualTo(queries).AsCollection);
        Assert.That(Enumerable.Range(0, set.Queries.Count).All(q => set.GroundTruth(q).Length > 0));
        Assert.That(import.Splits[0].Notes, Is.Empty);
    }

    /// <summary>Tokyo 24/7's positions, as others read them: blocks of twelve are of one place, so its panoramas are told apart by its order.</summary>
    [Test]
    public void Tokyo_HasPanoramasOfTwelve()
    {
        double[] utm = Positions("tokyo247.npz", "utmDb");
        string file = Write("tokyo247.mat", "test", [.. Enumerable.Range(0, utm.Length / 2).Select(i => $"{i}.jpg")], utm, ["q.jpg"], [utm[0], utm[1]]);
        Assert.That(new DbStructImport([file], folder.Path).Splits[0].Panoramas, Is.EqualTo(6332));
    }

    /// <summary>[n, 2] float64 of a NumPy archive.</summary>
    private static double[] Positions(string archive, string name)
    {
        using var zip = ZipFile.OpenRead(SharedFolder.Require("data", "splits", archive));
        var bytes = new MemoryStream();
        using (var entry = zip.GetEntry($"{name}.npy")!.Open())
            entry.CopyTo(bytes);
        byte[] all = bytes.ToArray();
        Assert.That(System.Text.Encoding.Latin1.GetString(all, 10, 60), Does.Contain("'<f8'").And.Contain("'fortran_order': False"));
        return MemoryMarshal.Cast<byte, double>(all.AsSpan(10 + BitConverter.ToUInt16(all, 8))).ToArray();
    }
}
