using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using IlgpuNetVlad.PtxDriver;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>The GPU run book as a program of its own, on a driver that lets kernels fail as a GPU's do: one that faults and one that never ends take nothing with them.</summary>
[TestFixture]
public sealed class RunBook
{
    /// <summary>Of the simplest operations, so that it takes seconds.</summary>
    private const string Only = "addition,gram,sgd.update";

    private string folder = null!;

    [SetUp]
    public void Begin()
    {
        if (Devices.HasDriver || !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Ignore("The driver that executes PTX stands in on Linux with x86-64, where there is no other.");
        folder = Directory.CreateTempSubdirectory("netvlad").FullName;
    }

    [TearDown]
    public void End()
    {
        if (folder is not null)
            Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void AFaultAndAKernelThatNeverEnds_TakeNothingWithThem()
    {
        var (code, output) = Run("simt_128x128x8", "sgd_update", "--row-seconds", "4");
        Assert.That(code, Is.EqualTo(1), output);

        string[] began = [.. output.Split('\n').Where(l => l.StartsWith("gram ", StringComparison.Ordinal) || l.StartsWith("sgd.", StringComparison.Ordinal) || l.StartsWith("addition ", StringComparison.Ordinal))];
        Assert.That(began, Has.Some.StartsWith("gram simt-128x128x8").And.Some.StartsWith("gram simt-32x32x16").And.Some.StartsWith("sgd.update").And.Some.StartsWith("addition"), "each says that it begins");

        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "gpu.json")));
        Assert.That(report.RootElement.GetProperty("missing").GetInt32(), Is.Zero);
        var wrong = report.RootElement.GetProperty("wrong").EnumerateArray()
            .Select(w => (Of: $"{w.GetProperty("operation").GetString()} {w.GetProperty("variant").GetString()}", Said: w.GetProperty("message").GetString()!)).ToLookup(w => w.Of, w => w.Said);
        Assert.That(wrong.Select(w => w.Key), Is.EquivalentTo(new[] { "gram simt-128x128x8", "sgd.update simt" }), output);
        Assert.That(wrong["gram simt-128x128x8"].First(), Does.Contain("as was asked for"));
        Assert.That(wrong["gram simt-128x128x8"].Skip(1), Is.Not.Empty.And.All.Contain("not tried"));
        Assert.That(wrong["sgd.update simt"].First(), Does.Contain("it never ended: it was stopped after 4 s"));
        Assert.That(wrong["sgd.update simt"].Skip(1), Is.Not.Empty.And.All.Contain("not tried"));
        string text = File.ReadAllText(Path.Combine(folder, "gpu.md"));
        Assert.That(text, Does.Contain("as was asked for").And.Contain("it never ended").And.Contain("Left out, for they are wrong: gram (simt-128x128x8), sgd.update (simt)"));

        // For NVIDIA's tools: what faulted last, and what never ends not at all.
        var (_, launched) = Run("simt_128x128x8", "sgd_update", "--part", "launch");
        string[] launches = [.. launched.Split('\n').Where(l => l.Contains(" simt", StringComparison.Ordinal) && !l.StartsWith("PTX", StringComparison.Ordinal))];
        Assert.That(launches, Has.None.StartsWith("sgd").And.Some.StartsWith("addition"), launched);
        Assert.That(launches[^1], Does.StartWith("gram simt-128x128x8"), launched);
        Assert.That(launched, Does.Contain("It fails: "));
    }

    [Test]
    public void WithoutAFault_AllAgrees()
    {
        var (code, output) = Run("", "");
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Match("([0-9]+) of \\1 checks of kernels agree with the processor\\."));
    }

    /// <summary>A process that finds nothing is not begun again for ever.</summary>
    [Test]
    public void WithoutADevice_ItEndsAtOnce()
    {
        var (code, output) = Run(driver: false, "", "");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("There is no CUDA device here").And.Contain("ended before it found anything"));
    }

    private (int Code, string Output) Run(string faults, string hangs, params string[] more) => Run(driver: true, faults, hangs, more);

    private (int Code, string Output) Run(bool driver, string faults, string hangs, params string[] more)
    {
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        string program = Path.Combine(SharedFolder.Repository, "artifacts", "bin", "IlgpuNetVlad.Perf", configuration, "IlgpuNetVlad.Perf.dll");
        var start = new ProcessStartInfo("dotnet", [program, "gpu", "--only", Only, "--out", folder, .. more]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_CACHE_HOME"] = folder;
        start.Environment["PTX_DRIVER_FAULTS"] = faults;
        start.Environment["PTX_DRIVER_HANGS"] = hangs;
        if (driver)
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(DriverLibrary).Assembly.Location;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
