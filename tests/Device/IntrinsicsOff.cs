using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>
/// The Host variants on lesser machines: all their comparisons with Reference again, in child processes that run without AVX-512, without AVX2 (and FMA),
/// and without any intrinsics. Each child first asserts that they are off, in <see cref="AssertExpectation"/>.
/// </summary>
[TestFixture, Parallelizable]
public sealed partial class IntrinsicsOff
{
    private const string Expectation = "NETVLAD_EXPECT_OFF";

    [TestCase("EnableAVX512")]
    [TestCase("EnableAVX2")]
    [TestCase("EnableHWIntrinsic")]
    public void HostVariants_MatchReference_Without(string feature)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        var start = new ProcessStartInfo(host, ["test", typeof(IntrinsicsOff).Assembly.Location, "--filter", "Name~_host&Name~MatchesReference"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { [$"DOTNET_{feature}"] = "0", [Expectation] = feature },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output);
        var passed = Passed().Match(output);
        Assert.That(passed.Success, output);
        Assert.That(int.Parse(passed.Groups[1].Value), Is.GreaterThan(50), "the child ran the host comparisons");
    }

    /// <summary>In a child process: fails, and all tests with it, unless what its parent switched off really is off.</summary>
    internal static void AssertExpectation()
    {
        string? feature = Environment.GetEnvironmentVariable(Expectation);
        if (feature is null)
            return;
        Assert.That(Vector512.IsHardwareAccelerated, Is.False, "AVX-512 is off");
        if (feature != "EnableAVX512")
            Assert.That(Vector256.IsHardwareAccelerated, Is.False, "AVX2 is off");
        if (feature == "EnableHWIntrinsic")
            Assert.That(Vector128.IsHardwareAccelerated, Is.False, "all intrinsics are off");
    }

    [GeneratedRegex(@"Passed:\s*(\d+)")]
    private static partial Regex Passed();
}
