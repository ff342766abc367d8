using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>A known place: a photograph that shows it, and where that was taken, if somebody knows.</summary>
/// <param name="Path">The photograph's file, or any other name of the place.</param>
/// <param name="Position">Null where unknown.</param>
public sealed record Place(string Path, GeoPosition? Position = null)
{
    /// <summary>Metres, UTM or any flat system, of maps that have no degrees; null where unknown.</summary>
    public (double Easting, double Northing)? Metres { get; init; }

    /// <summary>The photographs that a user names at once, with what their files say of positions (<see cref="PhotoPosition"/>).</summary>
    /// <param name="path">As of <see cref="ImageFiles.Named"/>.</param>
    /// <exception cref="UserErrorException">There is nothing of that name, or no image in it.</exception>
    public static IReadOnlyList<Place> Named(string path)
    {
        var files = ImageFiles.Named(path);
        var places = new Place[files.Count];
        Parallel.For(0, places.Length, i => places[i] = Of(files[i]));
        return places;
    }

    private static Place Of(string file)
        => new(file, PhotoPosition.Of(file)) { Metres = NamedFileReader.Position(file) };
}
