using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// The file of a <see cref="PlaceIndex"/>: a network's safetensors file with one tensor more, <c>places.descriptors</c> [n, D], and one string, <c>places</c>, which lists path and position of each row
/// as JSON.
/// </summary>
internal static class PlaceFile
{
    private const string Tensor = "places.descriptors", Strings = "places";

    /// <summary>The format's own limit is 100 MB of header, in which quotes are written as two characters.</summary>
    private const int LongestList = 80_000_000;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>What a path begins with that goes on from the file's folder.</summary>
    private const string Here = "./";

    /// <summary>One place as the file lists it.</summary>
    private sealed record Entry(string Path, double? Latitude = null, double? Longitude = null, double? Easting = null, double? Northing = null);

    /// <summary>Whether a safetensors file holds places.</summary>
    /// <exception cref="UserErrorException">It is no such file.</exception>
    public static bool IsOne(string path) => SafetensorsFile.Read(path, _ => false).Metadata.ContainsKey(Strings);

    /// <exception cref="UserErrorException">It holds no places, or they are broken.</exception>
    public static (IReadOnlyList<Place> Places, DescriptorMatrix Descriptors) Read(string path)
    {
        var file = SafetensorsFile.Read(path, name => name == Tensor);
        if (!file.Metadata.TryGetValue(Strings, out string? list) || file.Find(Tensor) is not { } tensor)
            throw new UserErrorException($"{path} holds no known places: make it of photographs with `index` first.");
        var entries = Parse(path, list);
        if (tensor.Shape is not [var rows, > 0 and var dimension] || rows != entries.Length)
            throw new UserErrorException($"{path} is broken: it lists {entries.Length} places, and its descriptors are of shape [{string.Join(", ", tensor.Shape)}]; make the index again.");
        if (Array.FindIndex(tensor.Values, x => !float.IsFinite(x)) is >= 0 and var at)
            throw new UserErrorException($"{path} is broken: the descriptor of {entries[at / dimension].Path} holds NaN or infinity; make the index again.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return ([.. entries.Select(e => new Place(e.Path.StartsWith(Here, StringComparison.Ordinal) ? Path.GetFullPath(e.Path, folder) : e.Path, e is { Latitude: { } latitude, Longitude: { } longitude } ? new GeoPosition(latitude, longitude) : null)
        {
            Metres = e is { Easting: { } easting, Northing: { } northing } ? (easting, northing) : null,
        })], new(rows, dimension, tensor.Values));
    }

    public static void Write(string path, Network network, IReadOnlyList<Place> places, DescriptorMatrix descriptors)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string list = JsonSerializer.Serialize(places.Select(p => new Entry(Named(p.Path, folder), p.Position?.Latitude, p.Position?.Longitude, p.Metres?.Easting, p.Metres?.Northing)), Json);
        if (list.Length > LongestList)
            throw new UserErrorException($"The names of {places.Count} places are too long for one file: cut them into several indices, or put the photographs below the folder of the index.");
        int length = descriptors.Rows * descriptors.Dimension;
        float[] values = descriptors.Values.Length == length ? descriptors.Values : descriptors.Values[..length];
        NetworkWriter.Write(network, path, [new(Tensor, [descriptors.Rows, descriptors.Dimension], values)], [new(Strings, list)]);
    }

    private static Entry[] Parse(string path, string list)
    {
        try
        {
            var entries = JsonSerializer.Deserialize<Entry[]>(list, Json) ?? [];
            return entries.All(e => e?.Path is { Length: > 0 }) ? entries : throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{path} is broken: its list of places cannot be read; make the index again.", e);
        }
    }

    private static string Named(string path, string folder)
    {
        if (!Path.IsPathFullyQualified(path))
            return path;
        string relative = Path.GetRelativePath(folder, path);
        return Path.IsPathFullyQualified(relative) || relative.StartsWith("..", StringComparison.Ordinal) ? path : Here + relative.Replace('\\', '/');
    }
}
