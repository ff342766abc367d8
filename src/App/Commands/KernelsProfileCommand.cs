using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>kernels profile</c></summary>
internal sealed class KernelsProfileCommand : AppCommand
{
    private readonly Argument<string> name = new("kernel") { Description = "A CUDA kernel as `kernels list` names it." };
    private readonly Option<int?> example = new("--example") { Description = "Which of the examples that its variant takes, from 0; the one with most work where nothing is said.", HelpName = "number" };
    private readonly Option<string?> shape = new("--shape") { Description = "What is other than in the example, as NAME=NUMBER with commas between; a name that there is not tells those that there are.", HelpName = "shape" };
    private readonly Option<int?> blocks = new("--blocks")
    {
        Description = $"How many blocks of a launch are run, spread evenly over its grid, and stand for the others; all where nothing is said, and with --shape {ProfiledRun.BlocksOfShape}.", HelpName = "number",
    };
    private readonly Option<string> chip = new("--chip") { Description = "The GPU to reckon with.", HelpName = "name", DefaultValueFactory = _ => "H100" };
    private readonly Option<int?> lines = new("--lines") { Description = "How many of the costliest PTX lines to show; 12 where nothing is said.", HelpName = "number" };

    public KernelsProfileCommand()
        : base(
            "profile",
            "Runs the PTX of a CUDA kernel on the processor and counts what it does: instructions, sectors, bank conflicts, and what would hold it back on a GPU.",
            "netvlad kernels profile gemm.simt-32x32x16 --chip H100",
            "netvlad kernels profile convolution.forward.bf16-128x128x32 --shape B=8,H=60,W=80,Ic=256,Oc=512,R=3,S=3,Padding=1",
            "netvlad kernels profile convolution.forward.bf16-128x128x32 --example 2 --json")
    {
        chip.AcceptOnlyFromAmong([.. Chip.All.Select(c => c.Name)]);
        example.MustBe(n => n >= 0, "at least 0");
        lines.MustBe(n => n >= 1, "at least 1");
        blocks.MustBe(n => n >= 1, "at least 1");
        Arguments.Add(name);
        Options.Add(example);
        Options.Add(shape);
        Options.Add(blocks);
        Options.Add(chip);
        Options.Add(lines);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        var kernel = KernelsPtxCommand.Find(parsed.GetValue(name)!);
        var on = Chip.All.Single(c => c.Name == parsed.GetValue(chip));
        var run = ProfiledRun.Of(kernel, parsed.GetValue(example), parsed.GetValue(shape), parsed.GetValue(blocks), (running, done, total) =>
        {
            session.Token.ThrowIfCancellationRequested();
            if (done == 0)
                session.Progress.Begin($"Running {running}", total, "blocks");
            session.Progress.Advance(done);
        });
        int shown = parsed.GetValue(lines) ?? 12;
        var roofs = run.Profile.Roofs(on, run.ArgumentBytes);
        double cycles = run.Profile.Lines.Sum(l => l.Cycles(on));
        var costliest = run.Profile.Lines.OrderByDescending(l => l.Cycles(on)).Take(shown).Select(l => new { l.Line, l.Text, l.Kind, share = l.Cycles(on) / Math.Max(cycles, 1e-9), l.Count }).ToArray();
        var document = new
        {
            kernel = kernel.Name,
            operation = run.Operation.Name,
            problem = run.Problem.ToString(),
            chip = on,
            launches = run.Launches.Select(l => new { grid = Size(l.Grid), group = Size(l.Group) }),
            run.Blocks,
            run.BlocksRun,
            counts = Counts(run.Profile.Total),
            run.Profile.Barriers,
            leastBytes = run.ArgumentBytes,
            kinds = run.Profile.Kinds,
            roofs,
            lines = costliest.Select(l => new { l.Line, l.Text, l.Kind, l.share, counts = Counts(l.Count) }),
        };
        session.Result(document, console =>
        {
            console.WriteLine($"{kernel.Name} in {run.Operation.Name} {run.Problem}, {run.Launches.Count} launch{(run.Launches.Count == 1 ? "" : "es")}, first {Size(run.Launches[0].Grid)} blocks of {Size(run.Launches[0].Group)} threads");
            if (run.BlocksRun < run.Blocks)
                console.WriteLine($"Counted in {run.BlocksRun} of {run.Blocks} blocks, which stand for all.");
            Totals(console, run.Profile, run.ArgumentBytes);
            var roofTable = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape($"on {on.Description}, spread evenly")).AddColumn(new TableColumn("at least, µs").RightAligned());
            foreach (var roof in roofs)
                roofTable.AddRow(roof.What, Number(roof.Seconds * 1e6, "0.000"));
            console.Write(roofTable);
            var lineTable = new Table().Border(TableBorder.Simple);
            foreach (string title in new[] { "cost, %", "line", "warps", "threads of 32", "sectors a request", "bank passes, of least" })
                lineTable.AddColumn(new TableColumn(title).RightAligned());
            lineTable.AddColumn(new TableColumn("PTX").NoWrap());
            foreach (var line in costliest)
                lineTable.AddRow([
                    Number(100 * line.share, "0.0"), $"{line.Line}", $"{line.Count.Warps}", Ratio(line.Count.Threads, line.Count.Warps),
                    Ratio(line.Count.GlobalSectors, line.Count.GlobalRequests), Ratio(line.Count.SharedPasses, line.Count.SharedLeastPasses), Markup.Escape(Short(line.Text)),
                ]);
            console.Write(lineTable);
        });
    }

    private static void Totals(IAnsiConsole console, KernelProfile profile, long leastBytes)
    {
        var total = profile.Total;
        var table = new Table().Border(TableBorder.Simple).AddColumn("counted").AddColumn(new TableColumn("").RightAligned());
        table.AddRow("instructions of warps", $"{total.Warps}");
        foreach (var (kind, warps) in profile.Kinds.OrderByDescending(k => k.Value))
            table.AddRow($"  {kind}", $"{warps}  {Number(100.0 * warps / Math.Max(total.Warps, 1), "0.0")} %");
        table.AddRow("threads on, of 32", Ratio(total.Threads, total.Warps));
        table.AddRow("FLOPs", $"{total.Flops}");
        table.AddRow("global requests", $"{total.GlobalRequests}");
        table.AddRow("  sectors a request", Ratio(total.GlobalSectors, total.GlobalRequests));
        table.AddRow("  bytes asked for, of the sectors' bytes", $"{total.GlobalBytes} of {profile.SectorBytes}");
        table.AddRow("  bytes of the arguments", $"{leastBytes}");
        table.AddRow("FLOPs a sector's byte", Ratio(total.Flops, profile.SectorBytes));
        table.AddRow("shared requests", $"{total.SharedRequests}");
        table.AddRow("  passes of the banks, of the least", $"{total.SharedPasses} of {total.SharedLeastPasses}");
        table.AddRow("barriers, by warps", $"{profile.Barriers}");
        console.Write(table);
    }

    private static object Counts(InstructionCount c) => new
    {
        c.Warps, c.Threads, c.Flops, c.GlobalRequests, c.GlobalSectors, c.GlobalBytes, c.SharedRequests, c.SharedPasses, c.SharedLeastPasses, c.SharedBytes,
    };

    private static string Size((int X, int Y, int Z) size) => $"{size.X}×{size.Y}×{size.Z}";

    private static string Ratio(long part, long whole) => whole == 0 ? "" : Number((double)part / whole, "0.00");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Short(string text) => text.Length <= 70 ? text : text[..69] + "…";
}
