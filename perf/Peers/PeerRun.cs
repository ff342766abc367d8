using System.Globalization;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// The same work by this engine and by each peer in turn, round after round in one go: whatever else the machine does meets all alike.
/// </summary>
internal static class PeerRun
{
    public static void Run(PeerOptions options)
    {
        int threads = Environment.ProcessorCount;
        Console.WriteLine("Measuring the multiply-adds' peak");
        double peak = FmaPeak.Measure(threads);
        string scratch = Directory.CreateTempSubdirectory("peers").FullName, answer = Path.Combine(scratch, "answer");
        var engines = new List<PeerProcess>();
        try
        {
            IComparedWork work = options.Work switch
            {
                PeerOptions.Search => new SearchComparison(options.SearchSize, scratch),
                PeerOptions.Pca => new PcaComparison(options.PcaSize, scratch),
                _ when options.Work.StartsWith(PeerOptions.Train, StringComparison.Ordinal) => new TrainingComparison(options, options.Work[PeerOptions.Train.Length..], scratch),
                _ => new NetworkComparison(options, scratch),
            };
            var rows = new List<PeerRow>();
            foreach (var (name, command) in (IEnumerable<(string, string?)>)[("ours", null), .. options.Peers])
            {
                Console.WriteLine($"Starting {name}");
                var engine = new PeerProcess(name, command is null ? [.. OwnProgram.Words, "serve", .. work.Own] : Words(work.Filled(command), threads));
                engines.Add(engine);
                engine.Input(work.Input);
                engine.Go();
                // Before it writes its answer, for which some gather numbers that they hold elsewhere.
                long? peakBytes = engine.PeakBytes;
                engine.Output(answer);
                byte[] found = File.ReadAllBytes(answer);
                rows.Add(new(name, [], command is null ? work.Take(found) : work.Difference(found), peakBytes));
            }
            for (int round = 1; round <= options.Rounds; round++)
            {
                for (int i = 0; i < engines.Count; i++)
                    rows[i].Seconds.Add(engines[i].Go());
                Console.WriteLine($"Round {round}: {string.Join(", ", rows.Select(r => $"{r.Name} {1000 * r.Seconds[^1]:0.0} ms"))}");
            }
            new PeerReport(work.Title, work.DifferenceTitle, threads, peak, work.Flops, rows).Write(options.Folder);
        }
        finally
        {
            engines.ForEach(e => e.Dispose());
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static string[] Words(string command, int threads)
        => command.Replace("{threads}", threads.ToString(CultureInfo.InvariantCulture)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
