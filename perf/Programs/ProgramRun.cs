using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Perf.Peers;

namespace IlgpuNetVlad.Perf.Programs;

/// <summary>Whole programs that do the same job, in turn, round after round: start, loading, decoding, computing, writing.</summary>
internal static class ProgramRun
{
    private sealed record Row(string Name, List<WholeProgram.Outcome> Rounds, double? Difference)
    {
        public double Seconds => Median.Of(Rounds.Select(r => r.Seconds));
        public long? PeakBytes => Rounds.Max(r => r.PeakBytes);
    }

    public static void Run(ProgramOptions options)
    {
        int images = ImageFiles.Under(options.Images).Length;
        string scratch = Directory.CreateTempSubdirectory("programs").FullName, weights = Path.Combine(scratch, "weights.safetensors"), output = Path.Combine(scratch, "output");
        try
        {
            using (var device = Device.Cpu())
            using (var network = options.Weights is { } file ? ComparedNetwork.Open(device, options.Backbone, file) : ComparedNetwork.Random(device, options.Backbone))
                network.Save(weights);
            var rows = options.Programs.Select(p => new Row(p.Name, [], null)).ToArray();
            float[] right = [];
            for (int round = 0; round < options.Rounds; round++)
            {
                for (int i = 0; i < rows.Length; i++)
                {
                    string command = options.Programs[i].Command
                        .Replace("{weights}", weights).Replace("{images}", options.Images).Replace("{output}", output)
                        .Replace("{threads}", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
                    rows[i].Rounds.Add(WholeProgram.Run(rows[i].Name, command.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
                    if (round > 0)
                        continue;
                    float[] found = Descriptors(rows[i].Name, output);
                    if (i == 0)
                        right = found;
                    else
                        rows[i] = rows[i] with { Difference = RelativeDistance.L2(found, right) };
                }
                Console.WriteLine($"Round {round + 1}: {string.Join(", ", rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Name} {r.Rounds[^1].Seconds:0.0} s")))}");
            }
            Write(options, images, rows);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>What a program wrote; the file is gone afterwards.</summary>
    private static float[] Descriptors(string name, string output)
    {
        string npy = output + ".npy", path = File.Exists(npy) ? npy : output;
        if (!File.Exists(path))
            throw new UserErrorException($"{name} wrote neither {{output}} nor {{output}}.npy: give it one of them.");
        float[] found = path == npy ? Npy.Read(npy).Values : MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray();
        File.Delete(path);
        return found;
    }

    private static void Write(ProgramOptions options, int images, Row[] rows)
    {
        string title = string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Backbone} with NetVLAD, {images} images in files, whole programs, {Environment.ProcessorCount} threads, {options.Rounds} rounds; {MachineReport.Create().Processor}");
        var text = new StringBuilder($"{title}.\n\n| program | median s | images/s | times ours, median of rounds | peak memory, MB | relative L2 from ours |\n|---|---|---|---|---|---|\n");
        foreach (var row in rows)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Seconds:0.0} | {images / row.Seconds:0.0} | {Ratio(row, rows[0]):0.00} | {row.PeakBytes / 1e6:0} | {row.Difference:0.0e0} |\n");
        Console.WriteLine($"\n{text}");
        AtomicFile.WriteText(Path.Combine(options.Folder, "programs.md"), text.ToString());
        AtomicFile.Write(Path.Combine(options.Folder, "programs.json"), JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                work = title,
                images,
                programs = rows.Select(r => new
                {
                    name = r.Name,
                    medianSeconds = r.Seconds,
                    timesOurs = Ratio(r, rows[0]),
                    peakMemoryMb = r.PeakBytes / 1e6,
                    difference = r.Difference is { } d && double.IsFinite(d) ? d : (double?)null,
                    roundsSeconds = r.Rounds.Select(round => round.Seconds),
                }),
            },
            new JsonSerializerOptions { WriteIndented = true }));
    }

    private static double Ratio(Row row, Row ours) => Median.Of(row.Rounds.Zip(ours.Rounds, (theirs, our) => theirs.Seconds / our.Seconds));
}
