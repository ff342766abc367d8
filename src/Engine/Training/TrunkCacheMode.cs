namespace IlgpuNetVlad.Engine.Training;

/// <summary>Where training keeps what the frozen layers make of each image (see <see cref="FrozenMaps"/>).</summary>
public enum TrunkCacheMode
{
    /// <summary>In memory where it fits well, else on the run's disk, else nowhere.</summary>
    Auto,

    /// <summary>Nowhere: all layers run every time.</summary>
    Off,
    Memory,
    Disk,
}
