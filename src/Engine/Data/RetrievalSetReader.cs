using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Opens sets for image retrieval, found out by looking:
/// <list type="bullet">
/// <item>Oxford5k and Paris6k as they are given out: lists <c>NAME_query.txt</c> (image, left, top, right, bottom), <c>NAME_good.txt</c>, <c>NAME_ok.txt</c> and <c>NAME_junk.txt</c> in
/// <c>groundtruth/</c> or beside the images, images in <c>images/</c> and folders of it, or beside the lists;</item>
/// <item>Holidays: <c>jpg/</c>, or a folder, of images named by six digits, the last two 00 for a query and its scene's other images behind it.</item>
/// </list>
/// </summary>
public static class RetrievalSetReader
{
    private const string QueryEnding = "_query.txt";

    /// <summary>What Oxford's lists put before the names of query images.</summary>
    private const string OxfordPrefix = "oxc1_";

    /// <summary>Digits of a Holidays name, and those of them that number the images of a scene.</summary>
    private const int NameDigits = 6, WithinDigits = 2;

    /// <summary>Whether a folder holds one of these.</summary>
    public static bool IsOne(string path) => Directory.Exists(path) && (Lists(path) is not null || HolidaysFolder(path) is not null);

    /// <exception cref="UserErrorException">There is none, or what is there cannot be read: the sentence names file and line.</exception>
    public static RetrievalSet Open(string path)
    {
        path = Path.GetFullPath(path);
        string name = DatasetReader.NameOf(path);
        if (Directory.Exists(path) && Lists(path) is { } lists)
            return ReadLists(name, lists, Directory.Exists(Path.Combine(path, "images")) ? Path.Combine(path, "images") : path);
        if (Directory.Exists(path) && HolidaysFolder(path) is { } folder)
            return ReadHolidays(name, folder);
        throw new UserErrorException($"There is no retrieval set at {path}: it needs lists such as all_souls_1{QueryEnding} in groundtruth/, or images named by six digits in jpg/.");
    }

    /// <summary>The folder of the lists.</summary>
    private static string? Lists(string path)
        => new[] { Path.Combine(path, "groundtruth"), path }.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*" + QueryEnding).Any());

    private static string? HolidaysFolder(string path)
        => new[] { Path.Combine(path, "jpg"), path }.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder).Where(ImageFiles.IsImage) is var images
            && images.Any() && images.All(image => Number(image) is not null) && images.Any(image => Number(image) % 100 == 0));

    private static int? Number(string image)
        => Path.GetFileNameWithoutExtension(image) is { Length: NameDigits } digits && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static RetrievalSet ReadHolidays(string name, string folder)
    {
        string[] images = [.. Directory.EnumerateFiles(folder).Where(ImageFiles.IsImage).OrderBy(p => Number(p))];
        var scenes = Enumerable.Range(0, images.Length).ToLookup(i => Number(images[i])!.Value / 100);
        var queries = new List<RetrievalQuery>();
        foreach (var scene in scenes)
        {
            int first = scene.First();
            HashSet<int> others = [.. scene.Skip(1)];
            if (Number(images[first]) % 100 != 0)
                throw new UserErrorException($"{folder} has images of scene {scene.Key.ToString("D" + (NameDigits - WithinDigits), CultureInfo.InvariantCulture)} and no query among them, whose name ends in 00: fetch the missing files.");
            if (others.Count > 0)
                queries.Add(new(Path.GetFileNameWithoutExtension(images[first]), first, null, others, new HashSet<int> { first }));
        }
        return queries.Count > 0 ? new(name, images, queries, 0) : throw new UserErrorException($"{folder} has no query with another image of its scene: fetch the missing files.");
    }

    private static RetrievalSet ReadLists(string name, string lists, string root)
    {
        string[] images = ImageFiles.Under(root);
        var numbers = new Dictionary<string, int>();
        for (int i = 0; i < images.Length; i++)
            if (!numbers.TryAdd(Path.GetFileNameWithoutExtension(images[i]), i))
                throw new UserErrorException($"{images[i]} and {images[numbers[Path.GetFileNameWithoutExtension(images[i])]]} have one name, by which the lists in {lists} tell images: take one away.");
        var missing = new HashSet<string>();
        HashSet<int> Named(string query, string kind)
        {
            string file = Path.Combine(lists, $"{query}_{kind}.txt");
            if (!File.Exists(file))
                throw new UserErrorException($"There is no {file}, which {query}{QueryEnding} needs: fetch the whole ground truth.");
            var found = new HashSet<int>();
            foreach (string image in File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0))
                if (numbers.TryGetValue(image, out int number))
                    found.Add(number);
                else if (kind != "junk")
                    missing.Add(image);
            return found;
        }

        var queries = new List<RetrievalQuery>();
        foreach (string file in Directory.EnumerateFiles(lists, "*" + QueryEnding).Order(StringComparer.Ordinal))
        {
            string query = Path.GetFileName(file)[..^QueryEnding.Length];
            var (image, region) = ReadQuery(file);
            if (!numbers.TryGetValue(image, out int number))
                throw new UserErrorException($"{file} asks with the image {image}, and there is none below {root}: fetch the images, all of them.");
            var positives = Named(query, "good");
            positives.UnionWith(Named(query, "ok"));
            if (positives.Count == 0)
                throw new UserErrorException($"None of the images that {query}_good.txt and {query}_ok.txt name is below {root}: fetch the images, all of them.");
            queries.Add(new(query, number, region, positives, Named(query, "junk")));
        }
        return new(name, images, queries, missing.Count);
    }

    private static (string Image, PixelRegion Region) ReadQuery(string file)
    {
        string[] words = File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        double[] sides = [.. words.Skip(1).Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double side) ? side : double.NaN)];
        if (sides.Length != 4 || !sides.All(double.IsFinite) || sides[0] >= sides[2] || sides[1] >= sides[3])
            throw new UserErrorException($"{file} is no query: it must hold an image's name and its region's left, top, right and bottom, in pixels.");
        return (words[0].StartsWith(OxfordPrefix, StringComparison.Ordinal) ? words[0][OxfordPrefix.Length..] : words[0], new(sides[0], sides[1], sides[2], sides[3]));
    }
}
