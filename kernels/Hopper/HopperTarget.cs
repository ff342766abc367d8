using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Kernels;

/// <summary>The head of kernels for Hopper: ILGPU 1.5.3 writes <c>.target sm_80</c> for every newer chip, and wgmma needs <c>sm_90a</c>. Only kernels with <see cref="SimtKernel.Hopper"/> come here.</summary>
internal static partial class HopperTarget
{
    /// <summary>PTX that knows wgmma, and that which knows the fence for tensor maps, of CUDA 12.3.</summary>
    private static readonly Version OfWgmma = new(8, 0), OfTensorMaps = new(8, 3);

    /// <summary>The kernel's text with the head that it needs; no other place rewrites one.</summary>
    /// <param name="copiesTensors"><see cref="SimtKernel.CopiesTensors"/></param>
    public static string Rewrite(string text, bool copiesTensors)
    {
        var least = copiesTensors ? OfTensorMaps : OfWgmma;
        text = Target().Replace(text, ".target sm_90a", 1);
        return Version().Replace(text, version => System.Version.Parse(version.Groups[1].Value) < least ? $".version {least}" : version.Value, 1);
    }

    [GeneratedRegex(@"\.target sm_\d+")]
    private static partial Regex Target();

    [GeneratedRegex(@"\.version (\d+\.\d+)")]
    private static partial Regex Version();
}
