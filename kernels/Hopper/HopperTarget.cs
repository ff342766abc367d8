using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Kernels;

/// <summary>The head of kernels for Hopper: ILGPU 1.5.3 writes <c>.target sm_80</c> for every newer chip, and wgmma needs <c>sm_90a</c>. Only kernels with <see cref="SimtKernel.Hopper"/> come here.</summary>
internal static partial class HopperTarget
{
    /// <summary>The kernel's text with the head that wgmma needs; no other place rewrites one.</summary>
    public static string Rewrite(string text)
    {
        text = Target().Replace(text, ".target sm_90a", 1);
        return Version().Replace(text, version => System.Version.Parse(version.Groups[1].Value) < new Version(8, 0) ? ".version 8.0" : version.Value, 1);
    }

    [GeneratedRegex(@"\.target sm_\d+")]
    private static partial Regex Target();

    [GeneratedRegex(@"\.version (\d+\.\d+)")]
    private static partial Regex Version();
}
