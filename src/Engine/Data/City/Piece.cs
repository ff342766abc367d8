namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>What a piece is made of; decides which painter gives it its colour.</summary>
internal enum Surface : byte
{
    Facade, SideWall, Roof, FlatRoof, Chimney, Railing, Plate, Awning, HangingSign,
    Asphalt, Road, Pavement, Kerb, Court, Contact,
    CarSide, CarSkin, CarGlass, CarEnd, Crown, LampPost, Person, Post, Hedge, Scaffold,
}

/// <summary>
/// A flat piece of the town. Upright pieces stand on a line of the ground; lying ones are convex polygons with a height plane (roofs,
/// roads, bonnets). A camera without roll sees both as straight segments in each picture column, which is what makes the renderer fast.
/// </summary>
internal sealed class Piece
{
    public Surface Surface;
    public bool Upright;

    /// <summary>Seen only from the right-hand side of someone who walks from A to B.</summary>
    public bool OneSided;

    /// <summary>Has holes; <see cref="Cutout"/> decides sample by sample.</summary>
    public bool Pierced;
    public Flat A, B, Axis;
    public float Length, Bottom, Top;

    /// <summary>Upper edge of an upright piece as pairs (metres from A, height), A to B; null is straight at <see cref="Top"/>.</summary>
    public float[]? Profile;

    /// <summary>Corners of a lying piece, in order.</summary>
    public Flat[] Corners = [];

    /// <summary>Height of a lying piece: z = SlopeX·x + SlopeY·y + Level.</summary>
    public float SlopeX, SlopeY, Level;

    /// <summary>Outward for upright pieces, upward for lying ones.</summary>
    public float NormalX, NormalY, NormalZ;
    public House? House;
    public Street? Street;
    public Rgb Paint;
    public uint Seed;

    /// <summary>A number for the painter.</summary>
    public float Detail;

    public static Piece Wall(Surface surface, Flat a, Flat b, float bottom, float top, float[]? profile = null)
    {
        var along = b - a;
        var length = along.Length;
        var axis = length > 0 ? along / length : new Flat(1, 0);
        return new Piece
        {
            Surface = surface, Upright = true, A = a, B = b, Axis = axis, Length = length, Bottom = bottom, Top = top, Profile = profile,
            NormalX = axis.Right.X, NormalY = axis.Right.Y,
        };
    }

    /// <summary>A lying piece through three of its corners' heights.</summary>
    public static Piece Sheet(Surface surface, Flat[] corners, float z0, float z1, float z2)
    {
        Flat u = corners[1] - corners[0], v = corners[2] - corners[0];
        float dz1 = z1 - z0, dz2 = z2 - z0, det = Flat.Cross(u, v);
        float sx = (dz1 * v.Y - dz2 * u.Y) / det, sy = (dz2 * u.X - dz1 * v.X) / det;
        var scale = 1 / MathF.Sqrt(1 + sx * sx + sy * sy);
        return new Piece
        {
            Surface = surface, Corners = corners, SlopeX = sx, SlopeY = sy, Level = z0 - sx * corners[0].X - sy * corners[0].Y,
            NormalX = -sx * scale, NormalY = -sy * scale, NormalZ = scale,
        };
    }

    public static Piece Sheet(Surface surface, Flat[] corners, float z) => Sheet(surface, corners, z, z, z);

    /// <summary>Height of the upper edge, <paramref name="u"/> metres from A.</summary>
    public float TopAt(float u)
    {
        var p = Profile;
        if (p == null)
            return Top;
        for (var i = 2; i < p.Length; i += 2)
            if (u <= p[i])
            {
                var span = p[i] - p[i - 2];
                return span <= 0 ? p[i + 1] : p[i - 1] + (p[i + 1] - p[i - 1]) * ((u - p[i - 2]) / span);
            }
        return p[^1];
    }
}
