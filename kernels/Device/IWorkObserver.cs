namespace IlgpuNetVlad.Kernels;

/// <summary>What may happen to a device's streams.</summary>
public enum WorkKind
{
    /// <summary>A kernel, or a Host task, is launched.</summary>
    Launch,

    /// <summary>A copy is enqueued.</summary>
    Copy,

    /// <summary>A mark is set behind what a stream was given.</summary>
    MarkSet,

    /// <summary>A stream is to wait for a mark; the host goes on.</summary>
    StreamWait,

    /// <summary>The host waits for a mark.</summary>
    HostWait,

    /// <summary>The host waits until all streams are idle.</summary>
    Synchronisation,

    /// <summary>The host takes memory that a device copies by itself into its hands.</summary>
    HostAccess,
}

/// <summary>Bytes somewhere in the host's or a device's memory.</summary>
public readonly record struct MemoryPlace(nint Address, long Bytes);

/// <param name="Kind">What happens.</param>
/// <param name="Stream">To which stream; null where to none.</param>
/// <param name="Mark">Of marks and waits for them.</param>
/// <param name="Kernel">Of launches: the kernel's name; null for a Host task.</param>
public readonly record struct WorkItem(WorkKind Kind, WorkStream? Stream = null, StreamMark? Mark = null, string? Kernel = null)
{
    /// <summary>Of copies; launches do not say what they read.</summary>
    public MemoryPlace Reads { get; init; }

    /// <inheritdoc cref="Reads"/>
    public MemoryPlace Writes { get; init; }
}

/// <summary>Told of all that is enqueued on a device, in the host's order, and of every time the host waits for it: counts launches, and shows whether copies and kernels may meet.</summary>
public interface IWorkObserver
{
    /// <summary>May be called by several threads at once.</summary>
    void Happened(in WorkItem item);
}
