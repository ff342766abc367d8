namespace IlgpuNetVlad.Engine.Data;

/// <summary>What a dataset knows of one image; the pixels stay on disk.</summary>
/// <param name="Path">Absolute path of the file.</param>
/// <param name="Easting">Metres, UTM or any flat system shared by the whole set; NaN where the truth is explicit.</param>
/// <param name="Northing">Metres, as <paramref name="Easting"/>.</param>
/// <param name="Time">When it was taken, in seconds since 1970 (a bare date is its midnight, a bare month its first day); null where unknown.
/// Only equality is ever asked of it.</param>
/// <param name="Panorama">Images cut from one panorama share it; null where there is none.</param>
/// <param name="Place">Images with the same place show the same thing, where there are no positions.</param>
/// <param name="Heading">Degrees, clockwise from north; null where unknown.</param>
public sealed record ImageRecord(string Path, double Easting, double Northing, double? Time, string? Panorama, string? Place, double? Heading)
{
    /// <summary>True if both coordinates are numbers.</summary>
    public bool HasPosition => double.IsFinite(Easting) && double.IsFinite(Northing);

    /// <summary>Metres² to another image; NaN where one has no position.</summary>
    public double DistanceSquared(ImageRecord other)
    {
        var e = Easting - other.Easting;
        var n = Northing - other.Northing;
        return e * e + n * n;
    }
}
