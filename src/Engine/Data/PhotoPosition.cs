using System.Globalization;
using MetadataExtractor;
using MetadataExtractor.Formats.Exif;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>Where a photograph was taken, as far as its file says so.</summary>
public static class PhotoPosition
{
    private const int LatitudeField = 5, LongitudeField = 6;

    /// <summary>
    /// From the name, where it is <c>@easting@northing@zone@letter@latitude@longitude@…</c>, else what the camera wrote into the file (EXIF).
    /// </summary>
    /// <returns>Null where neither says anything that can be a place, or the file cannot be read.</returns>
    public static GeoPosition? Of(string path) => OfName(path) ?? OfCamera(path);

    private static GeoPosition? OfName(string path)
    {
        var fields = Path.GetFileName(path).Split('@');
        return fields[0].Length == 0 && fields.Length > LongitudeField + 1 && Degrees(fields[LatitudeField]) is { } latitude && Degrees(fields[LongitudeField]) is { } longitude
            && new GeoPosition(latitude, longitude) is { IsValid: true } position ? position : null;

        static double? Degrees(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double degrees) ? degrees : null;
    }

    private static GeoPosition? OfCamera(string path)
    {
        try
        {
            // Cameras that do not know where they are write 0, 0.
            return ImageMetadataReader.ReadMetadata(path).OfType<GpsDirectory>().FirstOrDefault()?.GetGeoLocation() is { IsZero: false } location
                && new GeoPosition(location.Latitude, location.Longitude) is { IsValid: true } position ? position : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageProcessingException)
        {
            // Whether the image can be read at all is told by whoever decodes it.
            return null;
        }
    }
}
