namespace IlgpuNetVlad.PtxDriver;

/// <summary>What the driver pretends to be.</summary>
/// <param name="Version">As <c>cuDriverGetVersion</c> tells it: 12080 for CUDA 12.8.</param>
/// <param name="Log">A file to which a line for each launch is added, or null.</param>
internal sealed record DriverSettings(DriverChip Chip, int Version = DriverSettings.UsualVersion, string? Log = null)
{
    private const int UsualVersion = 12080;
    private const string ChipVariable = "PTX_DRIVER_CHIP", VersionVariable = "PTX_DRIVER_CUDA", LogVariable = "PTX_DRIVER_LOG";

    /// <summary>As variables say: <c>PTX_DRIVER_CHIP</c>, <c>PTX_DRIVER_CUDA</c> such as 12.2, <c>PTX_DRIVER_LOG</c>.</summary>
    /// <exception cref="DriverException">One makes no sense.</exception>
    public static DriverSettings FromEnvironment()
        => new(DriverChip.Named(Environment.GetEnvironmentVariable(ChipVariable) ?? "H100"), ReadVersion(Environment.GetEnvironmentVariable(VersionVariable)), Environment.GetEnvironmentVariable(LogVariable));

    private static int ReadVersion(string? text)
        => text is null ? UsualVersion
            : System.Version.TryParse(text, out var version) ? 1000 * version.Major + 10 * version.Minor : throw new DriverException(CudaResult.InvalidValue, $"{VersionVariable}={text} is no version such as 12.8.");
}
