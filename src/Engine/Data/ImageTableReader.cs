namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Reads a table of images, <c>images.csv</c>: columns path (from the table's folder on, or absolute) and set (database or query), and, where
/// they are known, split, easting and northing in metres, time, panorama, place, heading, and order, by whose whole numbers images of a set follow each
/// other; without it, by their paths. Truth follows from the positions if every image of the
/// split has one; else images with the same place are right answers of one another, and every image needs a place.
/// </summary>
internal static class ImageTableReader
{
    public const string FileName = "images.csv";

    /// <summary>For sets whose order means something, as Tokyo 24/7's times of day do.</summary>
    public const string OrderColumn = "order";

    public static Dataset Read(string file, string split, DatasetRules rules)
    {
        var table = new CsvTable(file, "path", "set");
        var splits = Splits(table);
        var everything = split == DatasetReader.All || QueryRanges.Parse(split) is not null && !splits.Contains(split);
        if (!everything && !splits.Contains(split))
            throw new UserErrorException($"{file} has no split {split}; it has {string.Join(", ", splits)}.");

        var root = Path.GetDirectoryName(file)!;
        List<(ImageRecord Image, int Row, double Order)> database = [], queries = [];
        for (var row = 0; row < table.Count; row++)
        {
            if (!everything && table.Text(row, "split") != split)
                continue;
            var side = table.Required(row, "set").ToLowerInvariant() switch
            {
                "database" or "db" or "gallery" or "reference" => database,
                "query" or "queries" => queries,
                var other => throw table.Wrong(row, $"the set '{other}' is neither database nor query"),
            };
            side.Add((Image(table, row, root), row, Order(table, row)));
        }

        // Order must not depend on how the table was written.
        foreach (var side in new[] { database, queries })
        {
            if (side.Count == 0)
                throw new UserErrorException($"{file} names no {(side == database ? "database" : "query")} image{(everything ? "" : $" in split {split}")}.");
            side.Sort((a, b) => a.Order != b.Order ? a.Order.CompareTo(b.Order) : string.CompareOrdinal(a.Image.Path, b.Image.Path));
        }

        var all = database.Concat(queries).ToArray();
        IEnumerable<int>[]? truth = null;
        if (!all.All(entry => entry.Image.HasPosition))
        {
            // Blame first the image that has nothing, then the one that lacks what all the others are to be judged by.
            var lost = all.Where(entry => entry.Image.Place is null).OrderBy(entry => entry.Image.HasPosition).ThenBy(entry => entry.Row).FirstOrDefault();
            if (lost.Image is not null)
                throw table.Wrong(
                    lost.Row, lost.Image.HasPosition
                        ? "the image has no place, and not every image of the split has a position to judge by"
                        : "the image has neither a position (easting and northing) nor a place");
            var places = Enumerable.Range(0, database.Count).ToLookup(d => database[d].Image.Place);
            truth = [.. queries.Select(query => places[query.Image.Place])];
        }

        var name = Path.GetFileName(file) == FileName ? DatasetReader.NameOf(root) : Path.GetFileNameWithoutExtension(file);
        var set = new Dataset(name, everything ? DatasetReader.All : split, [.. database.Select(e => e.Image)], [.. queries.Select(e => e.Image)], rules, truth);
        return everything ? DatasetReader.Cut(set, split, file) : set;
    }

    public static IReadOnlyList<string> Splits(string file) => Splits(new CsvTable(file, "path", "set"));

    private static IReadOnlyList<string> Splits(CsvTable table)
    {
        var names = Enumerable.Range(0, table.Count).Select(row => table.Text(row, "split")).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToArray();
        return names.Length > 0 ? names : [DatasetReader.All];
    }

    /// <summary>Where an image stands among those of its set; all at 0 in tables that do not say.</summary>
    private static double Order(CsvTable table, int row)
    {
        if (!table.Has(OrderColumn))
            return 0;
        var order = table.Number(row, OrderColumn) ?? throw table.Wrong(row, $"the {OrderColumn} is missing");
        return order == Math.Floor(order) ? order : throw table.Wrong(row, $"the {OrderColumn} '{table.Text(row, OrderColumn)}' is no whole number");
    }

    private static ImageRecord Image(CsvTable table, int row, string root)
    {
        double? easting = table.Number(row, "easting"), northing = table.Number(row, "northing");
        if (easting is null != northing is null)
            throw table.Wrong(row, $"the {(easting is null ? "easting" : "northing")} is missing beside the other coordinate");
        double? time = null;
        if (table.Text(row, "time") is { } text)
            time = CaptureTime.TryParse(text, out var seconds) ? seconds : throw table.Wrong(row, $"the time '{text}' is no date (yyyyMMdd, yyyyMM, yyyy-MM-dd) and no number of seconds");
        return new ImageRecord(
            Path.GetFullPath(Path.Combine(root, table.Required(row, "path"))), easting ?? double.NaN, northing ?? double.NaN, time,
            table.Text(row, "panorama"), table.Text(row, "place"), table.Number(row, "heading"));
    }
}
