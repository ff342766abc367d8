using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>eval</c>, <c>extract</c> and <c>pca</c> from end to end.</summary>
[TestFixture, Parallelizable]
public sealed class WeightsCommands
{
    [Test]
    public void EvalMeasuresRecallAndTheCurveOverDimensions()
    {
        using var folder = new TemporaryFolder();
        var answer = Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--dims", "16,8", "--output", folder["plots"], "--json").Done().Json();
        var rows = answer.GetProperty("rows").EnumerateArray().ToArray();
        Assert.That(rows, Has.Length.EqualTo(3));
        Assert.That(rows[0].GetProperty("report").GetProperty("queries").GetInt32(), Is.EqualTo(12));
        Assert.That(rows[2].GetProperty("name").GetString(), Does.StartWith("8 "));
        foreach (var file in answer.GetProperty("files").EnumerateArray())
            Assert.That(new FileInfo(file.GetString()!), Has.Length.Positive);
    }

    [Test]
    public void EvalFindsClustersWhereTheWeightsHaveNone()
    {
        var answer = Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--pool", "netvlad-v2", "--clusters", "3", "--json").Done().Json();
        Assert.That(answer.GetProperty("clustersFound").GetBoolean());
        Assert.That(answer.GetProperty("pooling").GetString(), Is.EqualTo("netvlad-v2"));
    }

    [Test]
    public void EvalTakesAnotherPooling()
        => Assert.That(Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--pool", "max").Done().Output, Does.Contain("max, 64 numbers"));

    /// <summary>What cannot be read leaves the denominator, and the heading says so.</summary>
    [Test]
    public void EvalSaysHowManyQueriesDoNotCount()
    {
        using var folder = new TemporaryFolder();
        string[] images = [.. Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().Take(3)];
        string broken = folder.Write("broken.jpg", "no picture");
        string set = folder.Write(
            "set.csv", $"path,set,place\n{images[0]},database,x\n{images[1]},database,y\n{images[2]},query,x\n{broken},query,y\n");
        var answer = Netvlad.Run("eval", SmallCity.Weights, set, "--json").Done().Json();
        Assert.That(answer.GetProperty("unreadableQueries").GetInt32(), Is.EqualTo(1));
        Assert.That(answer.GetProperty("rows")[0].GetProperty("report").GetProperty("queries").GetInt32(), Is.EqualTo(1));
        string heading = Netvlad.Run("eval", SmallCity.Weights, set).Done().Output.Split('\n')[0];
        Assert.That(heading, Does.Contain("1 queries (1 more could not be read and do not count), 2 database images"));
    }

    /// <summary>A table without splits is evaluated whole without being asked for; of several splits it is the test's, which must be there.</summary>
    [Test]
    public void EvalTakesTheOnlySplit()
    {
        using var folder = new TemporaryFolder();
        string[] images = [.. Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().Take(3)];
        string Table(string first, string second)
            => folder.Write("set.csv", $"path,set,split,place\n{images[0]},database,{first},x\n{images[1]},database,{second},y\n{images[2]},query,{first},x\n{images[2]},query,{second},y\n");
        var run = Netvlad.Run("eval", SmallCity.Weights, Table("", ""), "--json").Done();
        Assert.That(run.Json().GetProperty("split").GetString(), Is.EqualTo("all"));
        Assert.That(run.Errors, Does.Contain("has one split, all, which is taken"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, Table("", ""), "--split", "test").Refused(), Does.Contain("has no split test; it has all"), "what is asked for is not replaced");
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, Table("night", "day")).Refused(), Does.Contain("has no split test; it has day, night"));
    }

    /// <summary>Four pictures of the city as a set of one drive: what counts as right follows from options, and the answer says what did.</summary>
    [Test]
    public void EvalSaysWhichAnswersCount()
    {
        using var folder = new TemporaryFolder();
        string[] images = [.. Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().Take(4)];
        folder.Write(
            "drive.csv",
            $"path,set,split,easting,northing,time\n{images[0]},database,test,0,0,2014\n{images[1]},database,test,200,0,2015\n{images[3]},database,test,900,0,2016\n{images[2]},query,test,40,0,2014\n");
        string set = folder["drive.csv"];
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, set).Refused(), Does.Contain("lies within 25 m"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, set, "--test-radius", "50").Refused(), Does.Contain("another time").And.Contain("--same-time keep"));
        var kept = Netvlad.Run("eval", SmallCity.Weights, set, "--test-radius", "50", "--same-time", "keep", "--json").Done().Json();
        Assert.That(kept.GetProperty("testRadius").GetDouble(), Is.EqualTo(50));
        Assert.That(kept.GetProperty("sameTime").GetRawText().Where(c => !char.IsWhiteSpace(c)), Is.EqualTo("""{"rule":"keep","inForce":false,"queriesTouched":0}"""));
        Assert.That(kept.GetProperty("rows")[0].GetProperty("report").GetProperty("queriesWithoutAnswer").GetInt32(), Is.Zero);
        var dropped = Netvlad.Run("eval", SmallCity.Weights, set, "--test-radius", "180", "--json").Done().Json();
        Assert.That(dropped.GetProperty("sameTime").GetRawText().Where(c => !char.IsWhiteSpace(c)), Is.EqualTo("""{"rule":"drop","inForce":true,"queriesTouched":1}"""));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, set, "--test-radius", "180").Done().Output, Does.Contain("own time were left out, of 1 query"));
        folder.Write("places.csv", $"path,set,split,place\n{images[0]},database,test,x\n{images[1]},database,test,y\n{images[2]},query,test,x\n");
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, folder["places.csv"], "--test-radius", "50").Refused(), Does.Contain("leave --test-radius out"));
    }

    [Test]
    public void MissingAndOtherFilesAreNamed()
    {
        Assert.That(Netvlad.Run("eval", "/no/weights", SmallCity.Folder).Refused(), Does.Contain("/no/weights"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, "/no/set").Refused(), Does.Contain("/no/set"));
        Assert.That(Netvlad.Run("extract", SmallCity.Weights, "/no/images").Refused(), Does.Contain("/no/images"));
        using var folder = new TemporaryFolder();
        Assert.That(Netvlad.Run("eval", folder.Write("a.safetensors", "not weights"), SmallCity.Folder).Refused(), Does.Contain("a.safetensors"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--backbone", "vgg16").Refused(), Does.Contain("city").And.Contain("vgg16"));
        Assert.That(Netvlad.Run("eval", SmallCity.Weights, SmallCity.Folder, "--clusters", "9").Refused(), Does.Contain("4 clusters, not 9"));
    }

    [Test]
    public void ExtractReportsACorruptImageAndSkipsIt()
    {
        using var folder = new TemporaryFolder();
        string[] good = [.. Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().Take(3)];
        for (int i = 0; i < good.Length; i++)
            File.Copy(good[i], folder[$"{i}.jpg"]);
        folder.Write("1b.jpg", File.ReadAllBytes(good[0])[..100]);
        var run = Netvlad.Run("extract", SmallCity.Weights, folder.Path, "--output", folder["out.npy"]).Done();
        Assert.That(run.Output, Does.Contain("Warning: 1 of 4"));
        Assert.That(run.Errors, Does.Contain("1b.jpg"));
        var rows = Npy.Read(folder["out.npy"]);
        Assert.That(rows.Names!.Select(Path.GetFileName), Is.EqualTo(new[] { "0.jpg", "1.jpg", "2.jpg" }));
        Assert.That(rows.Dimension, Is.EqualTo(256));
        for (int i = 0; i < rows.Rows; i++)
            Assert.That(rows.Row(i).ToArray().Sum(x => (double)x * x), Is.EqualTo(1).Within(1e-5));
    }

    [Test]
    public void ExtractFailsWhereNothingCanBeRead()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.jpg", "no picture");
        Assert.That(Netvlad.Run("extract", SmallCity.Weights, folder.Path, "--output", folder["out.npy"]).Refused(), Does.Contain("None of 1 images").And.Contain("a.jpg"));
        Assert.That(File.Exists(folder["out.npy"]), Is.False);
        using var empty = new TemporaryFolder();
        Assert.That(Netvlad.Run("extract", SmallCity.Weights, empty.Path).Refused(), Does.Contain("no JPEG"));
    }

    /// <summary>Pictures of a telephone must not be missed in silence.</summary>
    [Test]
    public void ExtractTellsOnceWhichPicturesItDoesNotRead()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().First(), folder["a.jpg"]);
        foreach (string name in (string[])["b.HEIC", "below/c.heic", "d.tif", ".e.heic", "notes.md"])
            folder.Write(name, "x");
        var run = Netvlad.Run("extract", SmallCity.Weights, folder.Path, "--output", folder["out.npy"], "--json").Done();
        Assert.That(run.Errors.Split("2 .heic, 1 .tif files are not read: convert to JPEG, PNG or WebP."), Has.Length.EqualTo(2));
        var passedOver = run.Json().GetProperty("passedOver");
        Assert.That((passedOver.GetProperty(".heic").GetInt32(), passedOver.GetProperty(".tif").GetInt32()), Is.EqualTo((2, 1)));
        Assert.That(run.Json().GetProperty("skipped").GetArrayLength(), Is.Zero);
        using var phone = new TemporaryFolder();
        phone.Write("a.heic", "x");
        Assert.That(Netvlad.Run("extract", SmallCity.Weights, phone.Path).Refused(), Does.Contain("names no JPEG, PNG or WebP image, but 1 .heic file is not read"));
    }

    /// <summary>A list names images from its own folder, and the same image gives the same row as in a folder.</summary>
    [Test]
    public void ExtractReadsAList()
    {
        using var folder = new TemporaryFolder();
        string query = Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().First();
        File.Copy(query, folder["q.jpg"]);
        folder.Write("list.txt", $"q.jpg\n\n{query}\n");
        Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, "list.txt").Done();
        var rows = Npy.Read(folder["descriptors.npy"]);
        Assert.That(rows.Rows, Is.EqualTo(2));
        Assert.That(rows.Row(0).SequenceEqual(rows.Row(1)));
    }

    /// <summary>Names go beside the descriptors, where the list that was given may stand.</summary>
    [Test]
    public void ExtractNeverOverwritesTheListItWasGiven()
    {
        using var folder = new TemporaryFolder();
        string list = folder.Write("list.txt", $"{Directory.GetFiles(Path.Combine(SmallCity.Folder, "images", "test", "queries")).Order().First()}\n"), before = File.ReadAllText(list);
        Assert.That(Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, "list.txt", "--output", "list.npy").Refused(), Does.Contain(list).And.Contain("the list of images that you gave"));
        Assert.That(File.ReadAllText(list), Is.EqualTo(before));
        Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, "list.txt", "--output", "described.npy").Done();
        Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, "list.txt", "--output", "described.npy").Done();
        Assert.That(File.ReadAllText(list), Is.EqualTo(before));
    }

    /// <summary>Before the device is opened, so before any work: a folder below a file is one that nobody may make.</summary>
    [Test]
    public void OutputThatCannotBeWrittenIsNamedBeforeTheWork()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("file", "x"), queries = Path.Combine(SmallCity.Folder, "images", "test", "queries");
        void Refuses(params string[] words)
        {
            var run = Netvlad.Run(words);
            Assert.That(run.Refused(), Does.Contain(file).And.Contain("cannot be written"));
            Assert.That(run.Errors, Does.Not.Contain("Device:"));
        }

        Refuses("extract", SmallCity.Weights, queries, "--output", Path.Combine(file, "q.npy"));
        Refuses("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "4", "--output", Path.Combine(file, "w.safetensors"));
        Refuses("export", SmallCity.Weights, Path.Combine(file, "w.onnx"));
        Refuses("eval", SmallCity.Weights, SmallCity.Folder, "--output", Path.Combine(file, "plots"));
        Refuses("data", "inspect", SmallCity.Folder, "--split", "val", "--output", Path.Combine(file, "seen"));
        Refuses("kernels", "ptx", "--output", Path.Combine(file, "ptx"));
    }

    [Test]
    public void PcaIsStoredWithTheWeights()
    {
        using var folder = new TemporaryFolder();
        var fitted = Netvlad.Run("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "10", "--output", folder["p.safetensors"], "--json").Done().Json();
        Assert.That(fitted.GetProperty("dimension").GetInt32(), Is.EqualTo(10));
        var evaluated = Netvlad.Run("eval", folder["p.safetensors"], SmallCity.Folder).Done();
        Assert.That(evaluated.Output, Does.Contain("netvlad, 10 numbers"));
        // The curve cuts the stored PCA and cannot be longer than it.
        Assert.That(Netvlad.Run("eval", folder["p.safetensors"], SmallCity.Folder, "--dims", "11").Refused(), Does.Contain("11").And.Contain("10"));
    }

    /// <summary>The weights stay as they are, and what is advised next measures the file that was written, with its PCA and nothing else.</summary>
    [Test]
    public void PcaWritesANewFileBesideTheWeights()
    {
        using var folder = new TemporaryFolder();
        byte[] before = File.ReadAllBytes(SmallCity.Weights);
        string weights = folder.Write("mine.safetensors", before), city = Path.Combine(folder.Path, "city");
        Directory.CreateSymbolicLink(city, SmallCity.Folder);
        string output = Netvlad.RunIn(folder.Path, "pca", "mine.safetensors", "city", "--dims", "7").Done().Output;
        Assert.That(output, Does.Contain($"Written: {folder["mine-7.safetensors"]}"));
        Assert.That(File.ReadAllBytes(weights), Is.EqualTo(before));
        string next = output.TrimEnd().Split('\n')[^1].Trim();
        Assert.That(next, Does.StartWith("netvlad eval "));
        Assert.That(Words(next), Does.Not.Contain("--dims"));
        var rows = Netvlad.RunIn(folder.Path, [.. Words(next), "--json"]).Done().Json().GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("name").GetString());
        Assert.That(rows, Is.EqualTo(new[] { "netvlad, 7 numbers" }));
        Assert.That(Netvlad.RunIn(folder.Path, "pca", "mine.safetensors", "city", "--dims", "7").Refused(), Does.Contain(folder["mine-7.safetensors"]).And.Contain("--output"));
        Netvlad.RunIn(folder.Path, "pca", "mine.safetensors", "city", "--dims", "6", "--output", "mine.safetensors").Done();
        Assert.That(File.ReadAllBytes(weights), Is.Not.EqualTo(before));

        // The temporary folder's name holds a space.
        string[] Words(string line) => [.. line.Replace(folder.Path + Path.DirectorySeparatorChar, "").Split(' ')[1..]];
    }

    /// <summary>What the errors advise can be said.</summary>
    [Test]
    public void PcaAndExportTakeTheNetworksOptions()
    {
        using var folder = new TemporaryFolder();
        var fitted = Netvlad.Run("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "5", "--pool", "avg", "--resize", "32x48", "--output", folder["p.safetensors"], "--json").Done().Json();
        Assert.That(fitted.GetProperty("from").GetInt32(), Is.EqualTo(64));
        var exported = Netvlad.Run("export", SmallCity.Weights, folder["a.onnx"], "--pool", "max", "--json").Done().Json();
        Assert.That(exported.GetProperty("dimension").GetInt32(), Is.EqualTo(64));
        // The file says what it was fitted for.
        Assert.That(Netvlad.Run("eval", folder["p.safetensors"], SmallCity.Folder).Done().Output, Does.Contain("size 32x48").And.Contain("avg, 5 numbers"));
        Assert.That(Netvlad.Run("export", SmallCity.Weights, folder["b.onnx"], "--backbone", "vgg16").Refused(), Does.Contain("city").And.Contain("vgg16"));
    }

    [Test]
    public void MoreComponentsThanImagesAreRefused()
        => Assert.That(Netvlad.Run("pca", SmallCity.Weights, SmallCity.Folder, "--dims", "5000").Refused(), Does.Contain("5000"));

    /// <summary>A trunk and clusters of a PyTorch port become a file that the other commands take.</summary>
    [Test]
    public void ConvertMakesAFileThatIsUsed()
    {
        using var folder = new TemporaryFolder();
        var own = SafetensorsFile.Read(SmallCity.Weights);
        SafetensorsFile.Write(folder["port.safetensors"], own.Tensors.Select(t => t with { Name = t.Name.Replace("features.", "module.encoder.") }));
        var done = Netvlad.RunIn(folder.Path, "convert", "port.safetensors", "own.safetensors", "--resize", "48x64", "--preprocessing", "vgg", "--json").Done().Json();
        Assert.That((done.GetProperty("backbone").GetString(), done.GetProperty("clusters").GetInt32(), done.GetProperty("resize").GetString()), Is.EqualTo(("city", 4, "48x64")));
        Assert.That(done.GetProperty("mean")[0].GetDouble(), Is.EqualTo(123.68).Within(1e-4));
        Assert.That(Netvlad.RunIn(folder.Path, "convert", "port.safetensors", "own.safetensors").Done().Output, Does.Contain("netvlad, 4 clusters").And.Contain("city, cropped").And.Contain("native"));
        Assert.That(Netvlad.RunIn(folder.Path, "eval", "own.safetensors", SmallCity.Folder).Done().Output, Does.Contain("netvlad, 256 numbers"));
        Assert.That(Netvlad.RunIn(folder.Path, "convert", "own.safetensors", "again.safetensors").Refused(), Does.Contain("this engine's already"));
    }
}
