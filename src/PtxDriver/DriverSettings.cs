namespace IlgpuNetVlad.PtxDriver;

/// <summary>What the driver pretends to be.</summary>
/// <param name="Version">As <c>cuDriverGetVersion</c> tells it: 12080 for CUDA 12.8.</param>
/// <param name="Log">A file to which a line for each launch is added, or null.</param>
/// <param name="Faults">Kernels with this in their names end in a fault; null for none.</param>
/// <param name="Hangs">Kernels with this in their names never end; null for none.</param>
internal sealed record DriverSettings(DriverChip Chip, int Version = DriverSettings.UsualVersion, string? Log = null, string? Faults = null, string? Hangs = null)
{
    private const int UsualVersion = 12080;
    private const string ChipVariable = "PTX_DRIVER_CHIP", VersionVariable = "PTX_DRIVER_CUDA", LogVariable = "PTX_DRIVER_LOG", FaultsVariable = "PTX_DRIVER_FAULTS", HangsVariable = "PTX_DRIVER_HANGS";

    /// <summary>As variables say: <c>PTX_DRIVER_CHIP</c>, <c>PTX_DRIVER_CUDA</c> such as 12.2, <c>PTX_DRIVER_LOG</c>, <c>PTX_DRIVER_FAULTS</c>, <c>PTX_DRIVER_HANGS</c>.</summary>
    /// <exception cref="DriverException">One makes no sense.</exception>
    public static DriverSettings FromEnvironment()
        => new(DriverChip.Named(Read(ChipVariable) ?? "H100"), ReadVersion(Read(VersionVariable)), Read(LogVariable), Read(FaultsVariable), Read(HangsVariable));

    private static string? Read(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? set : null;

    private static int ReadVersion(string? text)
        => text is null ? UsualVersion
            : System.Version.TryParse(text, out var version) ? 1000 * version.Major + 10 * version.Minor : throw new DriverException(CudaResult.InvalidValue, $"{VersionVariable}={text} is no version such as 12.8.");
}
