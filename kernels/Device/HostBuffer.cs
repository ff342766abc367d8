using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Floats of the host that a device copies by itself, while the host and kernels go on: page-locked where there is a GPU. Whoever touches them has waited for the copies that touch them
/// (<see cref="StreamMark.Wait"/>).
/// </summary>
public sealed class HostBuffer : IDisposable
{
    private readonly Device device;
    private readonly PageLockedArray1D<float> memory;
    private readonly nint address;

    internal unsafe HostBuffer(Device device, long length)
    {
        this.device = device;
        Length = checked((int)length);
        memory = device.Accelerator.AllocatePageLocked1D<float>(Math.Max(length, 1));
        fixed (float* pointer = memory.Span)
            address = (nint)pointer;
    }

    /// <summary>Number of floats; may be 0.</summary>
    public int Length { get; }

    /// <summary>All of it, to be read and written by the host.</summary>
    public unsafe Span<float> Span
    {
        get
        {
            device.WorkObserver?.Happened(new(WorkKind.HostAccess) { Writes = Place(Length) });
            return new((void*)address, Length);
        }
    }

    internal MemoryPlace Place(long count) => new(address, count * sizeof(float));

    public void Dispose() => device.GiveUp(memory.Dispose);
}
