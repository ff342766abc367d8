namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Turns a house into pieces: façade with its gable, roof, chimneys, dormers, balconies, awning, hanging sign.</summary>
internal static class HouseBuilder
{
    /// <param name="p0">Façade corners p0 → p1 with the street to the right; p2, p3 behind p1, p0.</param>
    public static void Build(List<Piece> pieces, House house, Street? street, Flat p0, Flat p1, Flat p2, Flat p3)
    {
        var e = house.Eave;
        float w = house.Width, rise = house.Rise, depth = (p3 - p0).Length, depth1 = (p2 - p1).Length;
        var dice = new Dice(house.Seed);
        float[]? front = null, side = null;
        Flat mid0 = Flat.Lerp(p0, p3, 0.5f), mid1 = Flat.Lerp(p1, p2, 0.5f), outward = house.Axis.Right;
        var top = e + rise;

        void Roof(Flat a, Flat b, Flat c, Flat? d, float za, float zb, float zc, Surface surface = Surface.Roof)
        {
            var piece = Piece.Sheet(surface, d is { } last ? [a, b, c, last] : [a, b, c], za, zb, zc);
            piece.House = house;
            piece.Paint = surface == Surface.Roof ? house.RoofPaint : Rgb.Grey(0.22f);
            pieces.Add(piece);
        }

        switch (house.Roof)
        {
            case RoofForm.Eaves:
                side = [0, e, 0.5f, top, 1, e];
                var over = outward * 0.4f;
                var drop = 0.4f / (depth * 0.5f) * rise;
                Roof(p0 + over, p1 + over, mid1, mid0, e - drop, e - drop, top);
                Roof(p2, p3, mid0, mid1, e, e, top);
                break;
            case RoofForm.Flat:
                Roof(p0, p1, p2, p3, e - 0.5f, e - 0.5f, e - 0.5f, Surface.FlatRoof);
                break;
            case RoofForm.Mansard:
                const float steep = 0.12f;
                side = [0, e, steep, top, 1 - steep, top, 1, e];
                Flat a = Flat.Lerp(p0, p3, steep), b = Flat.Lerp(p1, p2, steep), c = Flat.Lerp(p1, p2, 1 - steep), d = Flat.Lerp(p0, p3, 1 - steep);
                Roof(p0, p1, b, a, e, e, top);
                Roof(a, b, c, d, top, top, top, Surface.FlatRoof);
                Roof(c, d, p3, p2, top, top, e);
                break;
            default:
                front = Gable(house);
                Flat m = Flat.Lerp(p0, p1, 0.5f), n = Flat.Lerp(p3, p2, 0.5f);
                var lower = house.Roof == RoofForm.Gable ? 0 : 0.5f;
                Roof(p0, m, n, p3, e - lower, top - lower, top - lower);
                Roof(m, p1, p2, n, top - lower, e - lower, e - lower);
                break;
        }

        Piece Stand(Surface surface, Flat from, Flat to, float bottom, float height, float[]? profile = null, bool oneSided = true)
        {
            var piece = Piece.Wall(surface, from, to, bottom, height, profile);
            piece.OneSided = oneSided;
            piece.House = house;
            piece.Street = street;
            piece.Paint = house.Wall;
            pieces.Add(piece);
            return piece;
        }

        Stand(Surface.Facade, p0, p1, 0, e, front);
        Stand(Surface.SideWall, p1, p2, 0, e, Scale(side, depth1));
        Stand(Surface.SideWall, p3, p0, 0, e, Scale(side, depth));
        Stand(Surface.SideWall, p2, p3, 0, e, front == null ? null : [0, e, (p3 - p2).Length * 0.5f, top - 0.5f, (p3 - p2).Length, e]);

        if (dice.Chance(300, 0.75f) && house.Roof != RoofForm.Flat)
            Box(Surface.Chimney, Flat.Lerp(p0, p1, dice.Range(301, 0.1f, 0.9f)) - outward * (depth * dice.Range(302, 0.35f, 0.6f)), house.Axis, 0.8f, 0.6f, e, top + dice.Range(303, 0.5f, 1.3f), Rgb.Lerp(house.Wall, new Rgb(0.3f, 0.14f, 0.1f), 0.6f));
        if (house.Roof is RoofForm.Eaves or RoofForm.Mansard)
            for (var i = 0; i < house.DormerCount; i++)
                Dormer((i + 0.5f) / house.DormerCount);
        if (house.OrielBay >= 0)
            Oriel((house.OrielBay + 0.5f) * house.BayWidth, Math.Min(house.BayWidth * 0.8f, 2.2f));
        var half = house.BayWidth * 0.42f;
        for (var f = 1; f < house.Floors; f++)
            for (var b = 0; b < house.Bays; b++)
                if (house.Has(house.Balconies, f, b))
                    Balcony((b + 0.5f) * house.BayWidth, house.GroundHeight + (f - 1) * house.FloorHeight, half);
        if (house.Ground == GroundFloor.Shop)
        {
            if (house.AwningOut)
                Awning();
            if (house.HangingSign)
            {
                var at = p0 + house.Axis * (dice.Chance(304, 0.5f) ? 0.4f : w - 0.4f) + outward * 0.15f;
                var board = Stand(Surface.HangingSign, at, at + outward * 0.9f, house.GroundHeight + 0.2f, house.GroundHeight + 1.1f, oneSided: false);
                board.Seed = house.SignSeed;
            }
        }

        void Dormer(float u)
        {
            float set = 1.0f, z = house.Roof == RoofForm.Mansard ? e + 0.3f : e + rise * set / (depth * 0.5f), high = 1.5f, wide = 0.65f;
            var foot = p0 + house.Axis * (w * u) - outward * (house.Roof == RoofForm.Mansard ? 0.05f : set);
            Flat l = foot - house.Axis * wide, r = foot + house.Axis * wide, back = outward * -2f;
            var face = Stand(Surface.Plate, l, r, z, z + high, [0, z + high, wide, z + high + 0.6f, 2 * wide, z + high]);
            face.Detail = 1;
            Stand(Surface.SideWall, r, r + back, z, z + high);
            Stand(Surface.SideWall, l + back, l, z, z + high);
            Roof(l, foot, foot + back, l + back, z + high, z + high + 0.6f, z + high + 0.6f);
            Roof(foot, r, r + back, foot + back, z + high + 0.6f, z + high, z + high);
        }

        void Balcony(float u, float z, float halfWidth)
        {
            Flat l = p0 + house.Axis * (u - halfWidth), r = p0 + house.Axis * (u + halfWidth), o = outward * 0.95f;
            Stand(Surface.Plate, l + o, r + o, z - 0.16f, z);
            Stand(Surface.Plate, l, l + o, z - 0.16f, z);
            Stand(Surface.Plate, r + o, r, z - 0.16f, z);
            var under = Piece.Sheet(Surface.Plate, [l, r, r + o, l + o], z - 0.1f);
            under.House = house;
            under.Paint = house.Trim;
            pieces.Add(under);
            foreach (var (from, to) in new[] { (l + o, r + o), (l, l + o), (r + o, r) })
            {
                var rail = Stand(Surface.Railing, from, to, z, z + 1, oneSided: false);
                rail.Pierced = true;
                rail.Detail = dice.Pick(305, 3);
            }
        }

        void Oriel(float u, float wide)
        {
            var o = outward * 0.85f;
            Flat l = p0 + house.Axis * (u - wide * 0.5f), r = p0 + house.Axis * (u + wide * 0.5f), inset = house.Axis * 0.3f;
            float foot = house.GroundHeight, head = foot + (house.Floors - 1) * house.FloorHeight - 0.25f;
            var part = house.Oriel(l + o, wide - 0.6f);
            var face = Stand(Surface.Facade, l + o + inset, r + o - inset, foot, head);
            face.House = part;
            foreach (var (from, to) in new[] { (l, l + o + inset), (r + o - inset, r) })
            {
                var flank = Stand(Surface.Facade, from, to, foot, head);
                flank.House = house.Oriel(from, flank.Length);
            }
            Roof(l, l + o + inset, r + o - inset, r, head + 0.5f, head, head);
            var under = Piece.Sheet(Surface.Plate, [l, r, r + o - inset, l + o + inset], foot);
            under.House = house;
            pieces.Add(under);
        }

        void Awning()
        {
            Flat l = p0 + house.Axis * 0.3f, r = p1 - house.Axis * 0.3f, o = outward * 1.3f;
            var z = house.GroundHeight - house.SignHeight - 0.3f;
            var cloth = Piece.Sheet(Surface.Awning, [l, r, r + o, l + o], z, z, z - 0.6f);
            cloth.House = house;
            cloth.Street = street;
            pieces.Add(cloth);
            Stand(Surface.Awning, l + o, r + o, z - 0.85f, z - 0.6f, oneSided: false);
        }

        void Box(Surface surface, Flat centre, Flat axis, float x, float y, float z0, float z1, Rgb paint)
        {
            Flat dx = axis * (x * 0.5f), dy = axis.Right * (y * 0.5f);
            Flat a = centre - dx + dy, b = centre + dx + dy, c = centre + dx - dy, d = centre - dx - dy;
            foreach (var (from, to) in new[] { (a, b), (b, c), (c, d), (d, a) })
                Stand(surface, from, to, z0, z1).Paint = paint;
        }
    }

    /// <summary>Upper edge of a façade that shows its gable to the street.</summary>
    private static float[] Gable(House house)
    {
        float e = house.Eave, top = e + house.Rise, w = house.Width;
        if (house.Roof == RoofForm.Gable)
            return [0, e, w * 0.5f, top, w, e];
        var points = new List<float>();
        if (house.Roof == RoofForm.Stepped)
        {
            const int steps = 4;
            for (var i = 0; i <= steps; i++)
            {
                points.AddRange([w * 0.5f * i / (steps + 0.6f), e + 0.3f + house.Rise * i / steps]);
                points.AddRange([w * 0.5f * Math.Min(i + 1, steps + 0.6f) / (steps + 0.6f), e + 0.3f + house.Rise * i / steps]);
            }
        }
        else
        {
            // A bell: hollow flanks, then a round cap.
            float[] shape = [0, 0.25f, 0.12f, 0.28f, 0.22f, 0.42f, 0.30f, 0.70f, 0.33f, 0.85f, 0.38f, 0.95f, 0.44f, 1.02f, 0.5f, 1.05f];
            for (var i = 0; i < shape.Length; i += 2)
                points.AddRange([shape[i] * w, e + shape[i + 1] * house.Rise]);
        }
        for (var i = points.Count - 2; i >= 0; i -= 2)
            points.AddRange([w - points[i], points[i + 1]]);
        return [.. points];
    }

    private static float[]? Scale(float[]? profile, float length)
    {
        if (profile == null)
            return null;
        var scaled = (float[])profile.Clone();
        for (var i = 0; i < scaled.Length; i += 2)
            scaled[i] *= length;
        return scaled;
    }
}
