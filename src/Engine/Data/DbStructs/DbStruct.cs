using System.Globalization;
using IlgpuNetVlad.Engine.Matlab;

namespace IlgpuNetVlad.Engine.Data.DbStructs;

/// <summary>
/// What one <c>.mat</c> file of the NetVLAD benchmarks says (github.com/Relja/netvlad, datasets/dbBase.m): the structure <c>dbStruct</c> with names of images, positions, and how near a right answer
/// must be. Fields are found by name; where they bear others, by their places, of which there are ten, or twelve with capture times.
/// </summary>
internal sealed record DbStruct
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "dbStruct";

    // In the files' order; those of capture times are in the sets that have twelve fields alone.
    private static readonly string[] Twelve =
        ["whichSet", "dbImageFns", "utmDb", "dbTimeStamp", "qImageFns", "utmQ", "qTimeStamp", "numImages", "numQueries", "posDistThr", "posDistSqThr", "nonTrivPosDistSqThr"];

    private static readonly string[] Ten = [.. Twelve.Where(f => !f.EndsWith("TimeStamp", StringComparison.Ordinal))];

    /// <summary>The .mat file.</summary>
    public required string File { get; init; }

    /// <summary>train, val or test; the file's name where it does not say.</summary>
    public required string Split { get; init; }

    public required DbStructSide Database { get; init; }
    public required DbStructSide Queries { get; init; }

    /// <summary>Metres within which an answer is right; null where it is not said.</summary>
    public double? TestRadius { get; init; }

    /// <summary>Metres within which a database image may be a positive in training; null where it is not said.</summary>
    public double? TrainRadius { get; init; }

    public bool HasTimes => Database.Times is not null && Queries.Times is not null;

    /// <exception cref="UserErrorException">The file cannot be read, or is none of these.</exception>
    public static DbStruct Read(string path)
    {
        var file = MatlabFile.Read(path);
        var structures = file.Variables.Where(v => v.Value is MatlabStruct).ToArray();
        var value = file.Find(Variable) ?? (structures.Length == 1 ? structures[0].Value : null);
        var s = file.Struct(value, Variable);
        string[] places = s.Fields.Count == Twelve.Length ? Twelve : s.Fields.Count == Ten.Length ? Ten : [];
        string split = Field("whichSet") is { } which ? file.Text(which, "whichSet").Trim() : "";
        return new()
        {
            File = path,
            Split = split.Length > 0 ? split : Path.GetFileNameWithoutExtension(path),
            Database = Side("dbImageFns", "utmDb", "dbTimeStamp", "numImages"),
            Queries = Side("qImageFns", "utmQ", "qTimeStamp", "numQueries"),
            TestRadius = Number("posDistThr") ?? Root(Number("posDistSqThr")),
            TrainRadius = Root(Number("nonTrivPosDistSqThr")),
        };

        MatlabValue? Field(string name) => s.Find(name) ?? (Array.IndexOf(places, name) is >= 0 and var place && !s.Fields.Any(Twelve.Contains) ? s.At(place) : null);

        double? Number(string name) => Field(name) is { } number ? file.Numbers(number, name).ToDoubles() is [var only] ? only : throw Wrong(path, $"{name} is no single number") : null;

        DbStructSide Side(string names, string utm, string times, string count)
        {
            string[] images = [.. file.Cells(Field(names), names).Select(name => file.Text(name, $"a name in {names}").Replace('\\', '/'))];
            var positions = file.Numbers(Field(utm), utm);
            if (positions.Shape is not [2, var columns] || columns != images.Length)
                throw Wrong(path, $"{utm} is of {string.Join('×', positions.Shape)} and must be of 2×{images.Length}, a column for each of {names}");
            if (Number(count) is { } said && said != images.Length)
                throw Wrong(path, $"{count} is {said} and {names} lists {images.Length}");
            double[] metres = positions.ToDoubles();
            if (metres.Any(m => !double.IsFinite(m)))
                throw Wrong(path, $"{utm} holds NaN or infinity");
            return new(images, metres, Times(times, images.Length));
        }

        string[]? Times(string name, int images)
        {
            if (Field(name) is not { } value || value.Shape.Contains(0))
                return null;
            string[] times = value is MatlabCells cells
                ? [.. cells.Values.Select(c => file.Text(c, $"a time in {name}").Trim())]
                : [.. file.Numbers(value, name).ToDoubles().Select(t => t.ToString(CultureInfo.InvariantCulture))];
            if (times.Length != images)
                throw Wrong(path, $"{name} holds {times.Length} times for {images} images");
            return Array.Find(times, t => !CaptureTime.TryParse(t, out _)) is { } odd ? throw Wrong(path, $"{name} holds '{odd}', which is no time") : times;
        }
    }

    private static double? Root(double? squared) => squared is { } metres2 ? Math.Sqrt(metres2) : null;

    private static UserErrorException Wrong(string path, string what) => new($"{path} is no truth of a benchmark: {what}; fetch it again.");
}
