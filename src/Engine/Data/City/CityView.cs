namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Where a picture of the city is taken, when, and how.</summary>
/// <param name="Quarter">Part of the town.</param>
/// <param name="X">Metres to the east within the quarter.</param>
/// <param name="Y">Metres to the north within the quarter.</param>
/// <param name="Height">Of the camera above the road, in metres.</param>
/// <param name="Heading">Whole degrees, clockwise from north, 0..359.</param>
/// <param name="Drive">When.</param>
/// <param name="Seed">Whatever belongs to this one picture: exposure, colour cast, grain, people passing close by.</param>
public sealed record CityView(CitySplit Quarter, float X, float Y, float Height, int Heading, CityDrive Drive, uint Seed)
{
    /// <summary>Half of the picture's width at a metre's distance: 0.9 is a field of view of 84 degrees.</summary>
    public float Spread { get; init; } = 0.9f;

    /// <summary>Row of the horizon as a share of the picture's height, from the top: larger looks up.</summary>
    public float Horizon { get; init; } = 0.64f;
}

/// <summary>A camera without roll: every picture column is one vertical plane.</summary>
internal readonly struct Camera(CityView view, int width, int height)
{
    public readonly Flat At = new(view.X, view.Y), Forward = Plain.Heading(view.Heading);
    public readonly float Z = view.Height, Focal = width * 0.5f / view.Spread, Horizon = view.Horizon * height;
    public readonly int Width = width, Height = height;

    /// <summary>Of a point: metres ahead and to the right.</summary>
    public (float Ahead, float Right) Of(Flat p)
    {
        var d = p - At;
        return (Flat.Dot(d, Forward), Flat.Dot(d, Forward.Right));
    }

    /// <summary>Whether something of this radius in metres can be in the picture; things farther than 110 m are too small to matter.</summary>
    public bool MaySee(Flat p, float radius)
    {
        var (ahead, right) = Of(p);
        var side = right < 0 ? -right : right;
        return ahead > -radius && ahead < 110 && side < (ahead + radius) * (Width * 0.5f / Focal) + 2 * radius;
    }

    /// <summary>Metres to the right at one metre ahead, of a column's middle.</summary>
    public float Tangent(int column) => (column + 0.5f - Width * 0.5f) / Focal;

    /// <summary>Metres of rise at one metre ahead, of a row's middle.</summary>
    public float Slope(int row) => (Horizon - row - 0.5f) / Focal;
}
