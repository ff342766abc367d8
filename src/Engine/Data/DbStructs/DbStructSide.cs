namespace IlgpuNetVlad.Engine.Data.DbStructs;

/// <summary>The database or the queries of a <see cref="DbStruct"/>.</summary>
/// <param name="Names">As listed: paths below a folder that the file does not know.</param>
/// <param name="Metres">[n, 2], easting and northing (UTM).</param>
/// <param name="Times">When each was taken, as <see cref="CaptureTime"/> reads it; null where it is not said.</param>
internal sealed record DbStructSide(string[] Names, double[] Metres, string[]? Times)
{
    public double Easting(int image) => Metres[2 * image];

    public double Northing(int image) => Metres[2 * image + 1];
}
