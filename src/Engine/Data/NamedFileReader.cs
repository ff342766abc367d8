using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Reads folders whose file names hold the positions, the layout that most place recognition sets come in today:
/// <c>@easting@northing@zone@letter@lat@lon@pano@tile@heading@pitch@roll@height@timestamp@note@.jpg</c>. Only the first two fields are needed;
/// any other may be empty, and the rest may be missing. Only the name of the file is read, since folders may hold an @ too.
/// </summary>
internal static class NamedFileReader
{
    private const int EastingField = 1, NorthingField = 2, PanoramaField = 7, HeadingField = 9, TimeField = 13;
    private static readonly string[] QueryFolders = ["queries", "query"];

    /// <summary>The folder that holds database and queries of a split; null where there is none.</summary>
    public static string? Folder(string path, string split)
    {
        string[] candidates = [Path.Combine(path, "images", split), Path.Combine(path, split)];
        return candidates.FirstOrDefault(IsPair) ?? (split == DatasetReader.All && IsPair(path) ? path : null);
    }

    /// <summary>Names of the splits below a folder; "all" if it is a pair itself.</summary>
    public static IReadOnlyList<string> Splits(string path)
    {
        string[] roots = [Path.Combine(path, "images"), path];
        var names = roots.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Where(IsPair).Select(DatasetReader.NameOf);
        return [.. (IsPair(path) ? names.Append(DatasetReader.All) : names).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>True if a folder holds both a database and queries.</summary>
    public static bool IsPair(string folder) => Directory.Exists(Path.Combine(folder, "database")) && QueryFolder(folder) is not null;

    /// <summary>The folder of queries beside a database: "queries" or "query".</summary>
    public static string? QueryFolder(string folder) => QueryFolders.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);

    public static Dataset Read(string name, string folder, string split, DatasetRules rules)
        => new(name, split, ReadFolder(Path.Combine(folder, "database")), ReadFolder(QueryFolder(folder)!), rules) { PassedOver = PassedOver(folder) };

    /// <summary>Of the database and the queries together.</summary>
    internal static IReadOnlyDictionary<string, int> PassedOver(string folder)
        => new[] { Path.Combine(folder, "database"), QueryFolder(folder)! }.SelectMany(ImageFiles.PassedOver)
            .GroupBy(p => p.Key, p => p.Value).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum());

    private static ImageRecord[] ReadFolder(string folder)
    {
        var paths = ImageFiles.Under(folder);
        return paths.Length > 0
            ? [.. paths.Select(Parse)]
            : throw new UserErrorException($"The folder {folder} holds no image (jpg, jpeg, png, webp){(ImageFiles.PassedOver(folder) is { Count: > 0 } others ? $", but {ImageFiles.Told(others)}" : ".")}");
    }

    /// <summary>Easting and northing in the name of a file; null where it says nothing of the kind.</summary>
    internal static (double Easting, double Northing)? Position(string path)
    {
        var fields = Path.GetFileName(path).Split('@');
        return fields[0].Length == 0 && fields.Length > NorthingField + 1 && Number(fields[EastingField]) is { } easting && Number(fields[NorthingField]) is { } northing ? (easting, northing) : null;

        static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var metres) && double.IsFinite(metres) ? metres : null;
    }

    /// <summary>What the name of one file says.</summary>
    /// <exception cref="UserErrorException">The position is missing or no number.</exception>
    internal static ImageRecord Parse(string path)
    {
        var fields = Path.GetFileName(path).Split('@');
        // A name that is whole ends in "@.jpg"; the last piece is then the ending and no field.
        if (fields.Length <= NorthingField + 1)
            throw new UserErrorException(
                $"{path} has no position in its name, which must begin with @easting@northing@; rename it, or give a {TruthTableReader.FileName} or {ImageTableReader.FileName}.");
        var time = Text(TimeField);
        double? seconds = null;
        if (time is not null)
            seconds = CaptureTime.TryParse(time, out var parsed)
                ? parsed
                : throw new UserErrorException($"{path} has the timestamp '{time}' in its name, which is no date (yyyyMMdd, yyyyMM) and no number of seconds.");
        return new ImageRecord(path, Metres(EastingField, "easting"), Metres(NorthingField, "northing"), seconds, Text(PanoramaField), null, Heading());

        string? Text(int field) => field < fields.Length - 1 && fields[field].Trim() is { Length: > 0 } text ? text : null;

        double Metres(int field, string what)
            => double.TryParse(fields[field], NumberStyles.Float, CultureInfo.InvariantCulture, out var metres) && double.IsFinite(metres)
                ? metres
                : throw new UserErrorException($"{path} has the {what} '{fields[field]}' in its name, which is no number of metres.");

        // Nothing is judged by the heading, and sets write all sorts of things there.
        double? Heading() => double.TryParse(Text(HeadingField), NumberStyles.Float, CultureInfo.InvariantCulture, out var degrees) ? degrees : null;
    }
}
