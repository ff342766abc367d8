using System.Globalization;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>What stands below the photographs of a sheet.</summary>
internal static class SheetCaption
{
    /// <summary>The query's number and name, its heading, and when it was taken.</summary>
    public static string Query(Dataset set, int q) => $"{q}: {Name(set.Queries[q])}\n{string.Join(", ", new[] { Way(set.Queries[q]), When(set.Queries[q]) }.Where(part => part.Length > 0))}".TrimEnd('\n');

    /// <summary>The name of a database image, how far it is from the query, its heading, and when it was taken.</summary>
    public static string Database(Dataset set, int q, int d)
    {
        var image = set.Database[d];
        var metres = Math.Sqrt(set.Queries[q].DistanceSquared(image));
        var far = double.IsFinite(metres) ? metres < 10_000 ? string.Create(CultureInfo.InvariantCulture, $"{metres:0.#} m") : string.Create(CultureInfo.InvariantCulture, $"{metres / 1000:0} km") : "";
        return $"{Name(image)}\n{string.Join(", ", new[] { far, Way(image), When(image) }.Where(part => part.Length > 0))}".TrimEnd('\n');
    }

    // A name that is all position would say what the distance says better.
    private static string Name(ImageRecord image) => Path.GetFileName(image.Path) is var name && name.StartsWith('@') ? image.Panorama ?? "" : name;

    private static string Way(ImageRecord image) => image.Heading is { } degrees ? string.Create(CultureInfo.InvariantCulture, $"{degrees:0}°") : "";

    private static string When(ImageRecord image)
        => image.Time is { } seconds and > -6e10 and < 2e11 ? DateTime.UnixEpoch.AddSeconds(seconds).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : "";
}
