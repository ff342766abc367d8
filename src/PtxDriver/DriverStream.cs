namespace IlgpuNetVlad.PtxDriver;

/// <summary>A stream's work.</summary>
/// <param name="waitsForDefault">Whether it was made without CU_STREAM_NON_BLOCKING.</param>
internal sealed class DriverStream(bool waitsForDefault)
{
    public WorkQueue Queue { get; } = new();

    public bool WaitsForDefault { get; } = waitsForDefault;
}
