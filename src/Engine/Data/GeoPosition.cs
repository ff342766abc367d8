using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>A place on the earth, WGS 84.</summary>
/// <param name="Latitude">Degrees, −90 … 90, positive to the north.</param>
/// <param name="Longitude">Degrees, −180 … 180, positive to the east.</param>
public readonly record struct GeoPosition(double Latitude, double Longitude)
{
    /// <summary>Whether both are numbers in their range.</summary>
    public bool IsValid => Math.Abs(Latitude) <= 90 && Math.Abs(Longitude) <= 180;

    /// <summary>As maps take it: 48.858370, 2.294481, which is to 11 cm.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Latitude:0.000000}, {Longitude:0.000000}");
}
