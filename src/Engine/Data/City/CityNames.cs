using System.Globalization;

namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// File names in the field's common format:
/// <c>@easting@northing@zone@letter@latitude@longitude@panorama@tile@heading@pitch@roll@height@timestamp@note@.jpg</c>.
/// </summary>
public static class CityNames
{
    /// <summary>Name of a picture, without its folder.</summary>
    public static string FileName(CityShot shot)
    {
        var view = shot.View;
        var (latitude, longitude) = LatLon(shot.Easting, shot.Northing);
        return string.Create(CultureInfo.InvariantCulture,
            $"@{shot.Easting:0000000.00}@{shot.Northing:0000000.00}@{CityPlan.Zone}@{CityPlan.ZoneLetter}@{latitude:000.00000}@{longitude:0000.00000}@{shot.Panorama}@{shot.Tile:00}@{view.Heading:000}@@@{view.Height:0.00}@{view.Drive.Timestamp}@{Note(view.Drive.Weather)}@.jpg");
    }

    /// <summary>Folder of a picture below <c>images</c>.</summary>
    public static string Folder(CityShot shot) => $"{shot.Split.ToString().ToLowerInvariant()}/{(shot.IsQuery ? "queries" : "database")}";

    private static string Note(CityWeather weather) => weather.ToString().ToLowerInvariant();

    /// <summary>
    /// Degrees by a plane that touches the earth at the town: right to some metres there, which is all that a reader asks of them (distances
    /// are taken from the UTM metres).
    /// </summary>
    private static (double Latitude, double Longitude) LatLon(double easting, double northing)
        => (48.8 + (northing - 5405300) / 111200.0, 9 + (easting - 500000) / 73400.0);
}
