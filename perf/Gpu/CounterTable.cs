using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// Our own counts of a kernel, made by executing its PTX, beside the counters of the GPU: each kernel on the example of its operation that has most work, as <see cref="LaunchPart"/>
/// launches it under <c>ncu</c>.
/// </summary>
internal static class CounterTable
{
    /// <summary>What ncu is asked for.</summary>
    public const string Metrics =
        "smsp__inst_executed.sum,lts__t_sectors_srcunit_tex.sum,l1tex__data_pipe_lsu_wavefronts_mem_shared.sum,dram__bytes.sum,launch__registers_per_thread,gpu__time_duration.sum";

    /// <summary>
    /// Writes <c>counters.md</c>: ours alone where there is no table of ncu's. It is written again after every kernel, so that whoever runs out of time keeps what was counted, and says how many are to come.
    /// </summary>
    /// <param name="csv">Of <c>ncu --csv --page raw</c>; null where it was not found.</param>
    public static void Write(GpuOptions options, string? csv)
    {
        var measured = csv is null ? [] : Read(csv);
        // Those first that have something beside them: ncu may have been cut short, and so may this be.
        var kernels = KernelTable.All.Where(options.Wants).SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct().OrderBy(k => !measured.ContainsKey(k.Entry)).ToArray();
        // To compile takes half of the time, and who waits for a kernel that another thread compiles computes nothing.
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        OfflinePtx.CompileAll(kernels);
        string?[] rows = new string?[kernels.Length];
        string file = Path.Combine(options.Folder, "counters.md");
        Parallel.For(0, kernels.Length, cores, i =>
        {
            string row = Row(kernels[i], measured.GetValueOrDefault(kernels[i].Entry));
            lock (rows)
            {
                rows[i] = row;
                AtomicFile.WriteText(file, Table(rows));
            }
        });
        Console.WriteLine($"{kernels.Length} kernels in {file}");
    }

    /// <summary>What no example launches, or what takes another launch in between, has an empty row; what is not counted yet has none.</summary>
    private static string Table(string?[] rows)
    {
        var text = new StringBuilder("# Counted by executing the PTX, and by the GPU\n\nOne run of each kernel on the example with most work; PTX instructions are more than the machine's.\n\n");
        text.Append("| kernel | instructions of warps | GPU | sectors of L2 | GPU | passes of shared memory | GPU | bytes of its arguments | GPU's memory, bytes | registers | GPU's time |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        foreach (string? row in rows)
            text.Append(row);
        if (rows.Count(r => r is null) is > 0 and var left)
            text.Append(CultureInfo.InvariantCulture, $"\n{left} of {rows.Length} kernels were not counted in time.\n");
        return text.ToString();
    }

    private static string Row(SimtKernel kernel, Dictionary<string, string>? gpu)
    {
        ProfiledRun run;
        try
        {
            run = ProfiledRun.Of(kernel, null);
        }
        catch (UserErrorException)
        {
            return "";
        }
        string Gpu(string metric) => gpu?.GetValueOrDefault(metric) ?? "";
        var total = run.Profile.Total;
        return string.Create(CultureInfo.InvariantCulture,
            $"| {kernel.Name} | {total.Warps} | {Gpu("smsp__inst_executed.sum")} | {total.GlobalSectors} | {Gpu("lts__t_sectors_srcunit_tex.sum")} | {total.SharedPasses} | {Gpu("l1tex__data_pipe_lsu_wavefronts_mem_shared.sum")} | {run.ArgumentBytes} | {Gpu("dram__bytes.sum")} | {Gpu("launch__registers_per_thread")} | {Gpu("gpu__time_duration.sum")} |\n");
    }

    /// <summary>The last launch of each kernel, by its name: metrics with their units.</summary>
    private static Dictionary<string, Dictionary<string, string>> Read(string path)
    {
        // Before the table ncu writes what the program printed, and lines of its own.
        string[] lines = [.. File.ReadLines(path).SkipWhile(l => !l.Contains("\"Kernel Name\"", StringComparison.Ordinal))];
        using var csv = new CsvReader(new StringReader(string.Join('\n', lines)), new CsvConfiguration(CultureInfo.InvariantCulture) { BadDataFound = null, MissingFieldFound = null });
        var found = new Dictionary<string, Dictionary<string, string>>();
        if (lines.Length == 0 || !csv.Read() || !csv.ReadHeader())
            return found;
        string[] wanted = [.. Metrics.Split(',').Where(csv.HeaderRecord!.Contains)];
        var units = new Dictionary<string, string>();
        while (csv.Read())
        {
            string name = csv.GetField("Kernel Name") ?? "";
            // The first row holds units.
            if (name.Length == 0)
                units = wanted.ToDictionary(m => m, m => csv.GetField(m) ?? "");
            else
                found[name.Split('(')[0]] = wanted.ToDictionary(m => m, m => $"{csv.GetField(m)} {units.GetValueOrDefault(m)}".Trim());
        }
        return found;
    }
}
