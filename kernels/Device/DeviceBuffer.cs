using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>A block of floats in a device's memory. Index buffers hold 32-bit integers in the same bits.</summary>
public sealed class DeviceBuffer : IDisposable
{
    private readonly Device device;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> memory;

    internal DeviceBuffer(Device device, MemoryBuffer1D<float, Stride1D.Dense> memory, long length)
    {
        this.device = device;
        this.memory = memory;
        Length = length;
    }

    /// <summary>Number of floats; may be 0.</summary>
    public long Length { get; }

    public long Bytes => memory.Length * sizeof(float);

    /// <summary>All of the buffer.</summary>
    public ArrayView<float> View => memory.View.AsContiguous().SubView(0, Length);

    public static implicit operator ArrayView<float>(DeviceBuffer buffer) => buffer.View;

    public void Dispose()
    {
        if (memory.IsDisposed)
            return;
        device.Released(Bytes);
        memory.Dispose();
    }
}
