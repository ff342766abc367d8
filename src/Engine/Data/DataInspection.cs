using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>What a look at a whole dataset finds: enough to tell whether training on it, or a figure measured on it, means anything.</summary>
public sealed record DataInspection
{
    /// <summary>The set that was looked at.</summary>
    public required Dataset Set { get; init; }

    /// <summary>Right answers for a test, one count a query; those of the query's own time left out.</summary>
    public required Spread Answers { get; init; }

    /// <summary>Potential positives for training, one count a query.</summary>
    public required Spread Positives { get; init; }

    /// <summary>Definite negatives, one count a query.</summary>
    public required Spread Negatives { get; init; }

    /// <summary>Queries that no database image answers; they count as misses in every recall.</summary>
    public required int QueriesWithoutAnswer { get; init; }

    /// <summary>Queries that training leaves out.</summary>
    public required int QueriesWithoutPositive { get; init; }

    /// <summary>Queries to which every database image is an answer, or too near to be none.</summary>
    public required int QueriesWithoutNegative { get; init; }

    /// <summary>Sizes of the images that could be read, the most frequent first.</summary>
    public required IReadOnlyList<ImageSizeCount> Sizes { get; init; }

    /// <summary>Images that cannot be used, with the reason.</summary>
    public required IReadOnlyList<(string Path, string Reason)> BadImages { get; init; }

    /// <summary>Different capture times.</summary>
    public required int Times { get; init; }

    /// <summary>Earliest and latest capture time; null where there is none.</summary>
    public required (DateTime First, DateTime Last)? Period { get; init; }

    /// <summary>Images without a capture time.</summary>
    public required int ImagesWithoutTime { get; init; }

    /// <summary>Different panoramas in the database; 0 where none is named.</summary>
    public required int Panoramas { get; init; }

    /// <summary>Metres from west to east and from south to north that all images span; null without positions.</summary>
    public required (double East, double North)? Extent { get; init; }

    /// <summary>Why <see cref="Dataset.Check"/> refuses the set; null where it does not.</summary>
    public required string? Refusal { get; init; }

    /// <summary>Looks at everything.</summary>
    /// <param name="decodeAll">Decode every image, and not only read its header: slow, and finds those that were cut off.</param>
    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static DataInspection Of(
        Dataset set, IImageDecoder decoder, bool decodeAll = false, IProgressSink? progress = null, CancellationToken token = default)
    {
        set.TellPassedOver(progress);
        var (sizes, bad) = ReadImages(set, decoder, decodeAll, progress, token);
        progress?.Begin("counting positives and negatives", set.Queries.Count, "queries");
        int[] answers = new int[set.Queries.Count], positives = new int[answers.Length], negatives = new int[answers.Length];
        for (var q = 0; q < answers.Length; q++)
        {
            token.ThrowIfCancellationRequested();
            answers[q] = set.GroundTruth(q).Count(d => !set.SharesTime(q, d));
            positives[q] = set.PotentialPositives(q).Length;
            negatives[q] = set.CountNegatives(q);
            progress?.Advance(q + 1);
        }

        var all = set.Database.Concat(set.Queries).ToArray();
        double[] times = [.. all.Select(image => image.Time).OfType<double>()];
        var placed = all.Where(image => image.HasPosition).ToArray();
        return new DataInspection
        {
            Set = set,
            Answers = Spread.Of(answers),
            Positives = Spread.Of(positives),
            Negatives = Spread.Of(negatives),
            QueriesWithoutAnswer = answers.Count(n => n == 0),
            QueriesWithoutPositive = positives.Count(n => n == 0),
            QueriesWithoutNegative = negatives.Count(n => n == 0),
            Sizes = sizes,
            BadImages = bad,
            Times = times.Distinct().Count(),
            Period = times.Length > 0 ? (Date(times.Min()), Date(times.Max())) : null,
            ImagesWithoutTime = all.Length - times.Length,
            Panoramas = set.Database.Select(image => image.Panorama).OfType<string>().Distinct().Count(),
            Extent = placed.Length > 0
                ? (placed.Max(i => i.Easting) - placed.Min(i => i.Easting), placed.Max(i => i.Northing) - placed.Min(i => i.Northing))
                : null,
            Refusal = Refused(set),
        };
    }

    /// <summary>Draws where the images were taken, by <see cref="MapPicture"/>; false, and nothing is written, without positions.</summary>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public bool WriteMap(string path)
    {
        if (!MapPicture.CanDraw(Set))
            return false;
        MapPicture.Write(path, Title, Set);
        return true;
    }

    /// <summary>Draws some queries, spread evenly over the set, each with its nearest positive (one that looks the same way if there is one) and with
    /// negatives: the nearest one and others at random, the same at every call.</summary>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public void WriteTriples(string path, IImageDecoder decoder, int rows = 8, int negatives = 3)
        => TripleSheet.Write(path, $"{Title}: a query, what counts as the same place, and what as another", Set, Sample(rows, negatives), decoder);

    private string Title => Set.Split == DatasetReader.All ? Set.Name : $"{Set.Name}, {Set.Split}";

    private Triple[] Sample(int rows, int negatives)
    {
        int[] taught = [.. Enumerable.Range(0, Set.Queries.Count).Where(q => Set.PotentialPositives(q).Length > 0)];
        if (taught.Length == 0)
            taught = [.. Enumerable.Range(0, Set.Queries.Count)];
        rows = Math.Min(rows, taught.Length);
        var random = new Random(43);
        return [.. Enumerable.Range(0, rows).Select(row => Take(taught[(int)((row + 0.5) * taught.Length / rows)]))];

        Triple Take(int q)
        {
            int[] candidates = [.. Set.PotentialPositives(q).DefaultIfEmpty(-1)];
            // Of the same heading if that is known: weak supervision calls the view to the other side a positive too, but it shows little.
            var positive = candidates.MinBy(d => d < 0 ? default : (Math.Round(Turn(q, d) / 30), Distance(q, d)));
            int[] others = [.. Enumerable.Range(0, Set.Database.Count).Where(d => Set.IsNegative(q, d))];
            var chosen = new List<int>();
            if (others.Length > 0 && Set.Queries[q].HasPosition)
                chosen.Add(others.MinBy(d => Distance(q, d)));
            while (chosen.Count < Math.Min(negatives, others.Length))
            {
                var next = others[random.Next(others.Length)];
                if (!chosen.Contains(next))
                    chosen.Add(next);
            }

            return new Triple(q, positive < 0 ? null : positive, chosen);
        }

        double Turn(int q, int d) => Set.Queries[q].Heading - Set.Database[d].Heading is { } turn ? Math.Abs(Math.IEEERemainder(turn, 360)) : 0;

        double Distance(int q, int d) => Set.Queries[q].DistanceSquared(Set.Database[d]) is var d2 && double.IsNaN(d2) ? 0 : d2;
    }

    private static (ImageSizeCount[] Sizes, (string Path, string Reason)[] Bad) ReadImages(
        Dataset set, IImageDecoder decoder, bool decodeAll, IProgressSink? progress, CancellationToken token)
    {
        // A file may be both query and database image.
        string[] paths = [.. set.Database.Concat(set.Queries).Select(image => image.Path).Distinct()];
        progress?.Begin(decodeAll ? "decoding all images" : "reading image sizes", paths.Length, "images");
        var sizes = new (int Height, int Width)[paths.Length];
        var reasons = new string?[paths.Length];
        var done = 0L;
        // In parts, so that progress is told by one thread.
        foreach (var part in Enumerable.Range(0, paths.Length).Chunk(256))
        {
            Parallel.ForEach(part, new ParallelOptions { CancellationToken = token, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
            {
                try
                {
                    sizes[i] = decodeAll && decoder.Decode(paths[i], ResizePolicy.Native) is var image ? (image.Height, image.Width) : decoder.ReadSize(paths[i]);
                }
                catch (ImageException e)
                {
                    reasons[i] = e.Reason;
                }
            });
            progress?.Advance(done += part.Length);
        }

        return (
            [.. sizes.Where((_, i) => reasons[i] is null).GroupBy(size => size).Select(group => new ImageSizeCount(group.Key.Height, group.Key.Width, group.Count()))
                .OrderByDescending(size => size.Images).ThenBy(size => size.Height).ThenBy(size => size.Width)],
            [.. Enumerable.Range(0, paths.Length).Where(i => reasons[i] is not null).Select(i => (paths[i], reasons[i]!))]);
    }

    private static string? Refused(Dataset set)
    {
        try
        {
            set.Check();
            return null;
        }
        catch (UserErrorException e)
        {
            return e.Message;
        }
    }

    private static DateTime Date(double seconds)
        => DateTime.UnixEpoch.AddSeconds(Math.Clamp(seconds, (DateTime.MinValue - DateTime.UnixEpoch).TotalSeconds, 2.5e11));
}
