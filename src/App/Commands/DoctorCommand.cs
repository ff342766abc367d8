using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Tells what this machine offers, what will be used and why, and checks that it works.\n\nExample: netvlad doctor");
        CommandRun.Bind(command, Run);
        return command;
    }

    private static void Run(CommandRun run)
    {
        var watch = Stopwatch.StartNew();
        int gpus = Device.CudaCount();
        List<string> cuda = [];
        for (int i = 0; i < gpus; i++)
        {
            using var gpu = Device.Cuda(i);
            cuda.Add(gpu.Description);
        }
        using var chosen = run.OpenDevice();
        using var host = Device.Cpu();
        using var reference = Device.Cpu(1);
        var checks = DeviceCheck.Run(host, reference, run.Token);
        string pictures = CheckPictures();
        var memory = GC.GetGCMemoryInfo();
        var facts = new (string Name, string Value)[]
        {
            ("runtime", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}"),
            ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
            ("processors", $"{Environment.ProcessorCount}"),
            ("memory for this process", $"{memory.TotalAvailableMemoryBytes >> 20} MB"),
            ("vector instructions", $"AVX-512 {YesNo(Vector512.IsHardwareAccelerated)}, AVX2 {YesNo(Vector256.IsHardwareAccelerated)}, 128-bit {YesNo(Vector128.IsHardwareAccelerated)}"),
            ("host kernels use", $"{HostSimd.Description}, {HostSimd.Lanes} floats a vector"),
            ("CUDA devices", cuda.Count == 0 ? "none: no NVIDIA driver answers" : string.Join("; ", cuda)),
            ("device that runs use", chosen.Description),
            ("host kernels against one thread", $"{checks.Count(c => c.Ok)} of {checks.Count} checks agree"),
            ("pictures", pictures),
            ("packages", string.Join(", ", new[] { typeof(ILGPU.Context), typeof(SkiaSharp.SKBitmap), typeof(ScottPlot.Plot), typeof(AnsiConsole) }.Select(Version))),
        };
        run.Print(new { Facts = facts.ToDictionary(f => f.Name, f => f.Value), FailedChecks = checks.Where(c => !c.Ok), Seconds = watch.Elapsed.TotalSeconds }, () =>
        {
            var table = CommandRun.Table("", "");
            foreach (var (name, value) in facts)
                table.AddRow(Markup.Escape(name), Markup.Escape(value));
            AnsiConsole.Write(table.HideHeaders());
        });
        if (checks.FirstOrDefault(c => !c.Ok) is { } failed)
            throw new UserErrorException($"The host kernel {failed.Operation} ({failed.Variant}) is wrong on this machine for {failed.Problem}: please report it with this output.");
    }

    /// <summary>Draws a picture, writes it and reads it again.</summary>
    private static string CheckPictures()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netvlad-{Environment.ProcessId}.png");
        try
        {
            Plots.Recall(path, "check", [new Curve("check", [1, 5, 10], [0.2, 0.5, 0.7])]);
            var image = new SkiaImageDecoder().Decode(path, ResizePolicy.Exact(30, 40));
            return image.Rgb.Distinct().Count() > 1 ? "plotted, written and read" : "a plot was read back blank";
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static string Version(Type type)
        => $"{type.Assembly.GetName().Name} {type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";
}
