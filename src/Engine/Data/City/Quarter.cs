namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>A tree that stands there at every date; only its leaves change.</summary>
internal sealed record TreeSpot(Flat At, float Height, int Form, uint Seed);

/// <summary>
/// One quarter of the town: a bent grid of streets, blocks of houses between them, gardens, trees, a church or two. Everything follows
/// from the seed; quarters lie kilometres apart and share nothing.
/// </summary>
internal sealed class Quarter
{
    private const float BlockX = 82, BlockY = 66, HouseDepth = 10;
    private readonly Dice dice;
    private readonly Flat[,] nodes;
    private readonly int nx, ny;
    private readonly Street[,] across, up;
    private readonly List<Street> streets = [];

    public IReadOnlyList<Street> Streets => streets;
    public List<Piece> Pieces { get; } = [];
    public List<TreeSpot> Trees { get; } = [];
    public List<House> Houses { get; } = [];

    /// <summary>Seed of the far skyline, one a quarter.</summary>
    public uint Skyline { get; }

    /// <param name="panoramas">How many panoramas its streets must hold.</param>
    /// <param name="spacing">Metres between panoramas.</param>
    public Quarter(uint seed, int panoramas, float spacing)
    {
        dice = new Dice(seed);
        Skyline = dice.Bits(1);
        int inner = 2;
        while (Spots(inner, inner) * 0.9f < panoramas)
            inner++;
        int innerY = Spots(inner, inner - 1) * 0.9f >= panoramas && inner > 2 ? inner - 1 : inner;
        (nx, ny) = (inner + 2, innerY + 2);
        nodes = new Flat[nx, ny];
        for (var i = 0; i < nx; i++)
            for (var j = 0; j < ny; j++)
            {
                var d = dice[10 + i * 64 + j];
                nodes[i, j] = new Flat(i * BlockX + d.Range(0, -9, 9), j * BlockY + d.Range(1, -8, 8));
            }
        across = new Street[nx - 1, ny];
        up = new Street[nx, ny - 1];
        Lay();
        for (var i = 0; i < nx - 1; i++)
            for (var j = 0; j < ny - 1; j++)
                Block(i, j);
        Pieces.Add(Piece.Sheet(Surface.Asphalt, [new(-400, -400), new(nx * BlockX + 400, -400), new(nx * BlockX + 400, ny * BlockY + 400), new(-400, ny * BlockY + 400)], 0));
        foreach (var street in streets)
            Furnish(street);

        int Spots(int x, int y) => (int)((x - 1) * y * (BlockX / spacing) + (y - 1) * x * (BlockY / spacing));
    }

    /// <summary>Places of the panoramas, walked street by street.</summary>
    public IEnumerable<(Street Street, float S)> Walk(float spacing)
    {
        foreach (var street in streets)
            if (street.Walked)
                for (var s = spacing * 0.4f; s < street.Length - spacing * 0.3f; s += spacing)
                    yield return (street, s);
    }

    private void Lay()
    {
        for (var i = 0; i < nx; i++)
            for (var j = 0; j < ny; j++)
            {
                if (i + 1 < nx)
                    across[i, j] = New(nodes[i, j], nodes[i + 1, j], 1000 + j, i > 0 && i < nx - 2 && j > 0 && j < ny - 1);
                if (j + 1 < ny)
                    up[i, j] = New(nodes[i, j], nodes[i, j + 1], 2000 + i, j > 0 && j < ny - 2 && i > 0 && i < nx - 1);
            }

        Street New(Flat from, Flat to, int line, bool walked)
        {
            // A whole line of the grid shares its width, so that façade lines meet at the corners.
            var wide = dice[line];
            var half = wide.Range(0, 6.8f, 9.6f);
            var own = dice[3000 + streets.Count];
            var along = to - from;
            var n = (int)along.Length + 1;
            var street = new Street
            {
                Id = streets.Count, Dice = own, Start = from, Along = along.Unit, Length = along.Length, Half = half, Kerb = half - wide.Range(1, 2.0f, 2.8f),
                Walked = walked, TreeStep = own.Chance(2, 0.4f) ? own.Range(3, 9, 16) : 0, Cobbled = wide.Chance(4, 0.3f),
                LeftHeights = new float[n], RightHeights = new float[n],
            };
            streets.Add(street);
            return street;
        }
    }

    private void Block(int i, int j)
    {
        // Counter-clockwise, so that the street lies to the right of each side.
        Flat[] corner = [nodes[i, j], nodes[i + 1, j], nodes[i + 1, j + 1], nodes[i, j + 1]];
        Street[] street = [across[i, j], up[i + 1, j], across[i, j + 1], up[i, j]];
        float[] half = [.. street.Select(s => s.Half)], kerb = [.. street.Select(s => s.Kerb)], deep = [.. street.Select(s => s.Half + HouseDepth)];
        Flat[] kerbs = Inset(corner, kerb), fronts = Inset(corner, half), backs = Inset(corner, deep);
        var dice = this.dice[5000 + i * 64 + j];
        var court = Piece.Sheet(Surface.Court, fronts, 0.12f);
        court.Street = street[0];
        Pieces.Add(court);
        for (var side = 0; side < 4; side++)
        {
            var next = (side + 1) % 4;
            var paving = Piece.Sheet(Surface.Pavement, [kerbs[side], kerbs[next], fronts[next], fronts[side]], 0.13f);
            paving.Street = street[side];
            Pieces.Add(paving);
            var stone = Piece.Wall(Surface.Kerb, kerbs[side], kerbs[next], 0, 0.13f);
            stone.OneSided = true;
            stone.Street = street[side];
            Pieces.Add(stone);
            Row(dice[side], dice, street[side], fronts[side], fronts[next], backs[next], backs[side], side);
        }
        for (var t = 0; t < 3; t++)
        {
            var at = Flat.Lerp(Flat.Lerp(backs[0], backs[1], dice.Range(20 + t, 0.2f, 0.8f)), Flat.Lerp(backs[3], backs[2], dice.Range(30 + t, 0.2f, 0.8f)), dice.Range(40 + t, 0.2f, 0.8f));
            Trees.Add(new TreeSpot(at, dice.Range(50 + t, 7, 15), dice.Pick(60 + t, Tree.Forms), dice.Bits(70 + t)));
        }
        if (dice.Chance(80, 0.12f))
            Tower(Flat.Lerp(backs[0], backs[2], 0.5f), (backs[1] - backs[0]).Unit, dice[81]);
    }

    /// <summary>Houses along one side of a block; the first and last reach the mitred corners.</summary>
    private void Row(Dice dice, Dice block, Street street, Flat p0, Flat p1, Flat q1, Flat q0, int side)
    {
        var length = (p1 - p0).Length;
        var cuts = new List<float> { 0 };
        var k = 0;
        while (true)
        {
            var width = dice.Range(100 + k++, 5.2f, 11.5f);
            if (cuts[^1] + width > length - 6.5f)
                break;
            cuts.Add(cuts[^1] + width);
        }
        cuts.Add(length);
        for (var n = 0; n + 1 < cuts.Count; n++)
        {
            // A house on a corner looks onto both streets: it is one house for both sides of the block.
            var first = n == 0;
            var last = n + 2 == cuts.Count;
            var own = first ? block[900 + side] : last ? block[900 + (side + 1) % 4] : dice[1000 + n];
            Flat a = Flat.Lerp(p0, p1, cuts[n] / length), b = Flat.Lerp(p0, p1, cuts[n + 1] / length);
            Flat c = Flat.Lerp(q0, q1, cuts[n + 1] / length), d = Flat.Lerp(q0, q1, cuts[n] / length);
            if (!first && !last && own.Chance(0, 0.07f))
            {
                Garden(own, street, a, b, d);
                continue;
            }
            var house = House.Build(own, first || last ? own : dice[2000 + n / 6], street.Dice[90], a, b, first || last);
            Houses.Add(house);
            HouseBuilder.Build(Pieces, house, street, a, b, c, d);
            var (s0, lateral) = street.Of(a);
            var s1 = street.Of(b).S;
            street.Raise(Math.Min(s0, s1), Math.Max(s0, s1), lateral > 0, house.Eave + house.Rise * 0.4f);
        }
    }

    private void Garden(Dice dice, Street street, Flat a, Flat b, Flat behind)
    {
        var wall = Piece.Wall(dice.Chance(1, 0.5f) ? Surface.Hedge : Surface.SideWall, a, b, 0, dice.Range(2, 1.1f, 1.9f));
        wall.Street = street;
        wall.Paint = new Rgb(0.45f, 0.4f, 0.34f) * dice.Range(3, 0.7f, 1.2f);
        wall.Seed = dice.Seed;
        Pieces.Add(wall);
        for (var t = 0; t < 2; t++)
            Trees.Add(new TreeSpot(Flat.Lerp(Flat.Lerp(a, b, 0.25f + 0.5f * t), behind, dice.Range(4 + t, 0.15f, 0.4f)), dice.Range(6 + t, 5, 11), dice.Pick(8 + t, Tree.Forms), dice.Bits(10 + t)));
    }

    private void Tower(Flat at, Flat axis, Dice dice)
    {
        float half = dice.Range(0, 2.6f, 4f), high = dice.Range(1, 20, 32), spire = dice.Range(2, 5, 16);
        Flat x = axis * half, y = axis.Right * half;
        Flat[] c = [at - x + y, at + x + y, at + x - y, at - x - y];
        var paint = new Rgb(0.5f, 0.45f, 0.38f) * dice.Range(3, 0.7f, 1.2f);
        var roof = dice.Chance(4, 0.5f) ? new Rgb(0.2f, 0.36f, 0.30f) : new Rgb(0.13f, 0.12f, 0.13f);
        for (var i = 0; i < 4; i++)
        {
            var wall = Piece.Wall(Surface.SideWall, c[i], c[(i + 1) % 4], 0, high);
            (wall.OneSided, wall.Paint, wall.Detail) = (true, paint, 1);
            Pieces.Add(wall);
            var face = Piece.Sheet(Surface.Roof, [c[i], c[(i + 1) % 4], at], high, high, high + spire);
            face.Paint = roof;
            Pieces.Add(face);
        }
    }

    private void Furnish(Street street)
    {
        var cross = street.Half + 2;
        Flat[] lane = [street.At(cross, -street.Kerb), street.At(street.Length - cross, -street.Kerb), street.At(street.Length - cross, street.Kerb), street.At(cross, street.Kerb)];
        var road = Piece.Sheet(Surface.Road, lane, 0.006f);
        road.Street = street;
        Pieces.Add(road);
        if (street.TreeStep > 0)
            for (var side = -1; side <= 1; side += 2)
            {
                if (street.Dice.Chance(50 + side, 0.25f))
                    continue;
                var form = street.Dice.Pick(60, Tree.Forms);
                var n = 0;
                for (var s = cross + 3; s < street.Length - cross; s += street.TreeStep, n++)
                {
                    var d = street.Dice[70 + side * 40 + n];
                    if (d.Chance(0, 0.12f))
                        continue;
                    var tree = new TreeSpot(street.At(s + d.Range(1, -0.8f, 0.8f), side * (street.Kerb + 0.7f)), d.Range(2, 4.5f, 7.5f), form, d.Seed);
                    Trees.Add(tree);
                    street.Trees.Add(tree);
                }
            }
    }

    /// <summary>The polygon whose sides lie the given metres inside.</summary>
    private static Flat[] Inset(Flat[] corner, float[] by)
    {
        var result = new Flat[4];
        for (var k = 0; k < 4; k++)
        {
            var before = (k + 3) % 4;
            Flat u = (corner[k] - corner[before]).Unit, v = (corner[(k + 1) % 4] - corner[k]).Unit;
            Flat p = corner[before] - u.Right * by[before], q = corner[k] - v.Right * by[k];
            // p + u·t = q + v·r
            var t = Flat.Cross(q - p, v) / Flat.Cross(u, v);
            result[k] = p + u * t;
        }
        return result;
    }
}
