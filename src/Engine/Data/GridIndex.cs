namespace IlgpuNetVlad.Engine.Data;

/// <summary>Finds the images around a point by looking only into the squares near it: a city has more pairs than patience.</summary>
internal sealed class GridIndex
{
    private readonly IReadOnlyList<ImageRecord> images;
    private readonly double cell;
    private readonly Dictionary<(long East, long North), List<int>> cells = [];

    /// <param name="images">All with positions.</param>
    /// <param name="cell">Side of a square in metres; best is the radius that is asked for most.</param>
    public GridIndex(IReadOnlyList<ImageRecord> images, double cell)
    {
        this.images = images;
        this.cell = cell;
        for (var i = 0; i < images.Count; i++)
        {
            var key = (Cell(images[i].Easting), Cell(images[i].Northing));
            if (!cells.TryGetValue(key, out var members))
                cells[key] = members = [];
            members.Add(i);
        }
    }

    /// <summary>Indices of the images with d² ≤ radius², ascending.</summary>
    public List<int> Within(ImageRecord centre, double radius)
    {
        List<int> found = [];
        for (var e = Cell(centre.Easting - radius); e <= Cell(centre.Easting + radius); e++)
        {
            for (var n = Cell(centre.Northing - radius); n <= Cell(centre.Northing + radius); n++)
            {
                if (!cells.TryGetValue((e, n), out var members))
                    continue;
                foreach (var i in members)
                {
                    if (centre.DistanceSquared(images[i]) <= radius * radius)
                        found.Add(i);
                }
            }
        }

        found.Sort();
        return found;
    }

    private long Cell(double metres) => (long)Math.Floor(metres / cell);
}
