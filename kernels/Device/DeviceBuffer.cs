using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>A block of floats in a device's memory. Index buffers hold 32-bit integers in the same bits.</summary>
public sealed class DeviceBuffer : IDisposable
{
    private readonly Device device;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> memory;
    private readonly long start;

    internal DeviceBuffer(Device device, MemoryBuffer1D<float, Stride1D.Dense> memory, long length)
    {
        this.device = device;
        this.memory = memory;
        Length = length;
        if (device.Kind == DeviceKind.Cpu)
            start = FirstLine(memory.View.AsContiguous());
    }

    /// <summary>Number of floats; may be 0.</summary>
    public long Length { get; }

    public long Bytes => Math.Max(Length, 1) * sizeof(float);

    /// <summary>All of the buffer.</summary>
    public ArrayView<float> View => memory.View.AsContiguous().SubView(start, Length);

    public static implicit operator ArrayView<float>(DeviceBuffer buffer) => buffer.View;

    /// <summary>Floats before the first cache line that begins in the memory, of which there is one more than asked for.</summary>
    private static unsafe long FirstLine(ArrayView<float> memory)
    {
        const int line = HostPrefetch.Line * sizeof(float);
        return (line - (nint)HostMemory.Pointer(memory) % line) % line / sizeof(float);
    }

    public void Dispose()
    {
        if (memory.IsDisposed)
            return;
        device.Released(Bytes);
        device.GiveUp(memory.Dispose);
    }
}
