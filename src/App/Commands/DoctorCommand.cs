using System.CommandLine;
using System.Globalization;
using System.Reflection;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>doctor</c></summary>
internal sealed class DoctorCommand() : AppCommand(
    "doctor",
    "Says what this machine offers, what will be used, and why.",
    "netvlad doctor",
    "netvlad doctor --device cuda --json")
{
    protected override void Run(ParseResult parsed, Session session)
    {
        var report = MachineReport.Create();
        var packages = new SortedDictionary<string, string>(report.Packages.ToDictionary())
        {
            ["System.CommandLine"] = VersionOf(typeof(RootCommand).Assembly),
            ["Spectre.Console"] = VersionOf(typeof(AnsiConsole).Assembly),
        };
        var choice = session.ChooseDevice();
        using var device = choice.Device;
        using var host = Device.Cpu();
        using var alone = Device.Cpu(threads: 1);
        session.Progress.Begin("Comparing the processor's kernels on all threads with one", DeviceCheck.Count(host), "checks");
        var checks = DeviceCheck.Run(host, alone, session.Progress.Advance, session.Token);
        IReadOnlyList<DeviceCheckRow> onDevice = device.IsHostMemory ? [] : choice.Checks.Count > 0 ? choice.Checks : DeviceChoice.Compare(device, session.Progress, session.Token);
        session.Result(new { machine = report with { Packages = packages }, chosen = choice.Reason, checks = ByVariant(checks), deviceChecks = ByVariant(onDevice), failedChecks = checks.Concat(onDevice).Where(c => !c.Ok) }, console =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("", "").HideHeaders();
            void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));
            Row("runtime", report.Runtime);
            Row("system", $"{report.OperatingSystem}, {report.Architecture}");
            Row("processor", $"{report.Processor ?? "unknown"}, {report.Threads} {(report.Threads == 1 ? "thread" : "threads")} for this program");
            Row("instruction sets", report.InstructionSets.Count > 0 ? string.Join(", ", report.InstructionSets) : "none that help");
            Row("host variants", $"use {report.HostVectors}");
            Row("memory", $"{Gigabytes(report.MemoryBytes)} for this program");
            foreach (var device in report.Cuda)
                Row($"CUDA device {device.Index}", device.Problem ?? $"{device.Name}, {device.Architecture}, {Gigabytes(device.MemoryBytes)}");
            if (report.WhyNoCuda is { } why)
                Row("CUDA devices", $"none: {why}");
            Row("packages", string.Join("\n", packages.Select(p => $"{p.Key} {p.Value}")));
            foreach (var (format, state) in report.Images)
                Row($"{format} pictures", state);
            Row("kernels on all threads", $"{checks.Count(c => c.Ok)} of {checks.Count} checks agree with one thread");
            Row("will be used", choice.Reason);
            console.Write(table);
            if (onDevice.Count == 0)
                return;
            var compared = new Table().Border(TableBorder.Simple).AddColumns("operation", "variant", "checks", "failed", "largest error", "of the tolerance");
            foreach (var v in ByVariant(onDevice))
                compared.AddRow([.. new[] { v.Operation, v.Variant, $"{v.Checks}", $"{v.Failed}", v.Error.ToString("0.0e+0", CultureInfo.InvariantCulture), v.Share.ToString("0 %", CultureInfo.InvariantCulture) }.Select(Markup.Escape)]);
            console.WriteLine("The device's kernels against the processor's:");
            console.Write(compared);
        });
        if (checks.Concat(onDevice).FirstOrDefault(c => !c.Ok) is { } failed)
            throw new UserErrorException($"The kernel {failed.Operation} ({failed.Variant}) computes wrongly on this machine for {failed.Problem}; please report it with this output.");
        if (!report.ImagesWork)
            throw new UserErrorException("Pictures cannot be read or written here; install the libraries that the table names.");
    }

    /// <summary>What the checks of one variant came to.</summary>
    /// <param name="Error">The largest.</param>
    /// <param name="Share">The largest error as a share of what was tolerated there.</param>
    private sealed record VariantChecks(string Operation, string Variant, int Checks, int Failed, double Error, double Share);

    private static VariantChecks[] ByVariant(IReadOnlyList<DeviceCheckRow> rows)
        => [.. rows.GroupBy(r => (r.Operation, r.Variant)).Select(g => new VariantChecks(
            g.Key.Operation, g.Key.Variant, g.Count(), g.Count(r => !r.Ok), g.Max(r => r.Error), g.Max(r => r.Tolerance > 0 ? r.Error / r.Tolerance : r.Error > 0 ? double.PositiveInfinity : 0)))];

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");

    private static string VersionOf(Assembly assembly)
        => assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? assembly.GetName().Version!.ToString();
}
