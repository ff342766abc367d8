using System.Text.Json;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Tests.App;

/// <summary><c>index</c> and <c>localize</c> from end to end.</summary>
[TestFixture, Parallelizable]
public sealed class PlaceCommands
{
    private static string Database => Path.Combine(SmallCity.Folder, "images", "test", "database");

    private static string Queries => Path.Combine(SmallCity.Folder, "images", "test", "queries");

    [Test]
    public void AnIndexAnswersAsTheSearchDoes_WithPositionsAndAPicture()
    {
        using var folder = new TemporaryFolder();
        var made = Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, Database, "--json").Done().Json();
        int count = Directory.GetFiles(Database).Length;
        Assert.That(made.GetProperty("places").GetInt32(), Is.EqualTo(count));
        Assert.That(made.GetProperty("positions").GetInt32(), Is.EqualTo(count));
        Assert.That(made.GetProperty("index").GetString(), Is.EqualTo(folder["places.safetensors"]));
        var found = Netvlad.RunIn(folder.Path, "localize", "places.safetensors", Queries, "--top", "2", "--json").Done().Json();
        Assert.That(new FileInfo(found.GetProperty("picture").GetString()!).Length, Is.Positive);

        Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, Database, "--output", "d.npy").Done();
        Netvlad.RunIn(folder.Path, "extract", SmallCity.Weights, Queries, "--output", "q.npy").Done();
        DescriptorMatrix known = Npy.Read(folder["d.npy"]), asked = Npy.Read(folder["q.npy"]);
        using var search = new ExactSearch(Devices.Cpu, known);
        var (rows, distances) = search.Find(asked, 2);
        var photos = found.GetProperty("photos").EnumerateArray().ToArray();
        Assert.That(photos, Has.Length.EqualTo(asked.Rows));
        for (int q = 0; q < photos.Length; q++)
        {
            Assert.That(photos[q].GetProperty("photo").GetString(), Is.EqualTo(asked.Names![q]));
            var answers = photos[q].GetProperty("answers").EnumerateArray().ToArray();
            Assert.That(answers.Select(a => a.GetProperty("path").GetString()), Is.EqualTo(rows[q].Select(r => known.Names![r])));
            Assert.That(answers.Select(a => a.GetProperty("squaredDistance").GetSingle()), Is.EqualTo(distances[q]));
            var first = PhotoPosition.Of(known.Names![rows[q][0]])!.Value;
            Assert.That((answers[0].GetProperty("latitude").GetDouble(), answers[0].GetProperty("longitude").GetDouble()), Is.EqualTo((first.Latitude, first.Longitude)));
        }
    }

    [Test]
    public void OnePhotographIsToldInWords_AndFoundWhereItIsKnown()
    {
        using var folder = new TemporaryFolder();
        string photo = Directory.GetFiles(Database).Order(StringComparer.Ordinal).ElementAt(3);
        Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, Database, "--output", "town.safetensors").Done();
        File.Copy(photo, folder["Straße in Köln.jpg"]);
        string told = Netvlad.RunIn(folder.Path, "localize", "town.safetensors", "Straße in Köln.jpg", "--output", "answer.png").Done().Output;
        Assert.That(told, Does.StartWith("Straße in Köln.jpg, the most similar of").And.Contain("1.000").And.Contain(Path.GetFileName(photo)).And.Contain($"{PhotoPosition.Of(photo)}"));
        Assert.That(told, Does.Match("On a map: https://www.openstreetmap.org/\\?mlat=[0-9.-]+&mlon=[0-9.-]+#map").And.Contain("Picture: answer.png"));
        using var picture = SKBitmap.Decode(folder["answer.png"]);
        Assert.That(picture.Width, Is.GreaterThan(4 * 240));
    }

    [Test]
    public void ManyPhotographsAreALineEach()
    {
        using var folder = new TemporaryFolder();
        Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, Database).Done();
        string[] queries = [.. Directory.GetFiles(Queries).Order(StringComparer.Ordinal)];
        string told = Netvlad.RunIn(folder.Path, "localize", "places.safetensors", Queries).Done().Output;
        string[] lines = [.. told.Split('\n').Where(line => line.TrimStart().StartsWith("@", StringComparison.Ordinal))];
        Assert.That(lines, Has.Length.EqualTo(queries.Length).And.All.Matches("…[^ ]*@.jpg +0[.][0-9]{3} +@.*…[^ ]*@.jpg +[0-9]+[.][0-9]{6}, [0-9]+[.][0-9]{6}"));
        Assert.That(lines[0].TrimStart(), Does.StartWith(Path.GetFileName(queries[0])[..20]));
    }

    [Test]
    public void PhotographsAreAdded_AndKnownOnesStay()
    {
        using var folder = new TemporaryFolder();
        string[] files = [.. Directory.GetFiles(Database).Order(StringComparer.Ordinal).Take(5)];
        for (int i = 0; i < 3; i++)
            File.Copy(files[i], folder[$"{i}.jpg"]);
        folder.Write("1b.jpg", File.ReadAllBytes(files[0])[..200]);
        var first = Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, ".", "--json").Done().Json();
        Assert.That((first.GetProperty("places").GetInt32(), first.GetProperty("skipped").GetArrayLength(), first.GetProperty("positions").GetInt32()), Is.EqualTo((3, 1, 0)));
        File.Delete(folder["1b.jpg"]);
        File.Copy(files[3], folder["3.jpg"]);
        var second = Netvlad.RunIn(folder.Path, "index", "places.safetensors", ".", "--add", "--json").Done().Json();
        Assert.That((second.GetProperty("places").GetInt32(), second.GetProperty("knownBefore").GetInt32()), Is.EqualTo((4, 3)));
        using var index = PlaceIndex.Load(Devices.Cpu, folder["places.safetensors"]);
        Assert.That(index.Places.Select(p => Path.GetFileName(p.Path)), Is.EqualTo(new[] { "0.jpg", "1.jpg", "2.jpg", "3.jpg" }));
        Assert.That(Netvlad.RunIn(folder.Path, "index", "places.safetensors", ".", "--add", "--pool", "max").Refused(), Does.Contain("own network"));
        Assert.That(Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, ".", "--add").Refused(), Does.Contain("no known places"));
    }

    [Test]
    public void LargePhotographsAreMadeSmaller_UnlessSomebodySaysASize()
    {
        using var folder = new TemporaryFolder();
        folder.Write("large.jpg", SmallImage.Encode(1000, 1100, (x, y) => ((byte)x, (byte)y, (byte)(x + y), 255), SKEncodedImageFormat.Jpeg));
        folder.Write("upright.jpg", SmallImage.Encode(700, 600, (x, y) => ((byte)y, (byte)x, 0, 255), SKEncodedImageFormat.Jpeg));
        string Resize(params string[] more) => Netvlad.RunIn(folder.Path, ["index", SmallCity.Weights, ".", "--json", .. more]).Done().Json().GetProperty("resize").GetString()!;
        Assert.That(Resize(), Is.EqualTo("longest:640"));
        Assert.That(Resize("--resize", "longest:200"), Is.EqualTo("longest:200"));
        File.Delete(folder["large.jpg"]);
        Assert.That(Resize(), Is.EqualTo("native"));
    }

    [Test]
    public void ClustersAreFoundInThePhotographs_OfTheSizeThatMostHave()
    {
        using var folder = new TemporaryFolder();
        string[] files = [.. Directory.GetFiles(Database).Order(StringComparer.Ordinal).Take(6)];
        for (int i = 0; i < files.Length; i++)
            File.Copy(files[i], folder[$"{i}.jpg"]);
        // Its header is whole.
        byte[] whole = File.ReadAllBytes(files[0]);
        folder.Write("cut.jpg", whole[..(whole.Length / 2)]);
        folder.Write("0 upright.jpg", SmallImage.Encode(60, 40, (x, y) => ((byte)y, (byte)x, 0, 255), SKEncodedImageFormat.Jpeg));
        var run = Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, ".", "--pool", "netvlad-v2", "--clusters", "3", "--json").Done();
        Assert.That(run.Errors, Does.Contain("the 7 of 8 images that have one size").And.Contain("cut.jpg"));
        Assert.That(run.Json().GetProperty("places").GetInt32(), Is.EqualTo(7));
        Assert.That(run.Json().GetProperty("clustersFound").GetBoolean());
        Assert.That(run.Json().GetProperty("dimension").GetInt32(), Is.EqualTo(3 * 64));
        string answer = Netvlad.RunIn(folder.Path, "localize", "places.safetensors", "2.jpg", "--json").Done().Json().GetProperty("photos")[0].GetProperty("answers")[0].GetProperty("path").GetString()!;
        Assert.That(answer, Is.EqualTo(folder["2.jpg"]));
    }

    [Test]
    public void WhatCannotBeIsRefused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("bad.jpg", "no picture");
        Assert.That(Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, ".").Refused(), Does.Contain("None of 1").And.Contain("bad.jpg"));
        Assert.That(folder["places.safetensors"], Does.Not.Exist);
        folder.Write("a.heic", "x");
        Assert.That(Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, Database, "--output", ".").Refused(), Does.Contain("it is a folder"));
        Assert.That(Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, ".").Errors, Does.Contain("1 .heic file is not read"));
        Assert.That(Netvlad.RunIn(folder.Path, "localize", SmallCity.Weights, "bad.jpg").Refused(), Does.Contain("no known places"));
        Netvlad.RunIn(folder.Path, "index", SmallCity.Weights, Database).Done();
        Assert.That(Netvlad.RunIn(folder.Path, "localize", "places.safetensors", "bad.jpg").Refused(), Does.Contain("None of 1"));
        var early = Netvlad.RunIn(folder.Path, "localize", "places.safetensors", Queries, "--output", "bad.jpg/x.png");
        Assert.That(early.Refused(), Does.Contain("cannot be written"));
        Assert.That(early.Errors, Does.Not.Contain("Device:"), "before anything is described");
        Assert.That(Netvlad.RunIn(folder.Path, "localize", "places.safetensors", "bad.jpg", "--top", "0").Refused(2), Does.Contain("1 to 2048"));
    }
}
