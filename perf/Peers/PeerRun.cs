using System.Diagnostics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// The same work by this engine and by each peer in turn, round after round in one go: whatever else the machine does meets all alike.
/// </summary>
internal static class PeerRun
{
    public static void Run(PeerOptions options)
    {
        using var device = Device.Cpu();
        Console.WriteLine("Measuring the multiply-adds' peak");
        double peak = FmaPeak.Measure(device.Threads);
        string scratch = Directory.CreateTempSubdirectory("peers").FullName;
        try
        {
            using IComparedWork work = options.Work == PeerOptions.Search ? new SearchComparison(device, options.SearchSize, scratch) : new NetworkComparison(device, options, scratch);
            // The runtime compiles what runs often once more, and better.
            for (long begin = Stopwatch.GetTimestamp(), runs = 0; runs < 60 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 6; runs++)
                work.Run();
            var peers = new List<PeerProcess>();
            try
            {
                var rows = new List<PeerRow> { new("ours", [], work.OwnDifference) };
                foreach (var (name, command) in options.Peers)
                {
                    Console.WriteLine($"Starting {name}");
                    var peer = new PeerProcess(name, work.Filled(command));
                    peers.Add(peer);
                    string answer = Path.Combine(scratch, "answer");
                    peer.Input(work.Input);
                    peer.Output(answer);
                    rows.Add(new(name, [], work.Difference(File.ReadAllBytes(answer))));
                }
                for (int round = 1; round <= options.Rounds; round++)
                {
                    long begin = Stopwatch.GetTimestamp();
                    work.Run();
                    rows[0].Seconds.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
                    for (int i = 0; i < peers.Count; i++)
                        rows[i + 1].Seconds.Add(peers[i].Go());
                    Console.WriteLine($"Round {round}: {string.Join(", ", rows.Select(r => $"{r.Name} {1000 * r.Seconds[^1]:0.0} ms"))}");
                }
                new PeerReport(work.Title, work.DifferenceTitle, device.Threads, peak, work.Flops, rows).Write(options.Folder);
            }
            finally
            {
                peers.ForEach(p => p.Dispose());
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
