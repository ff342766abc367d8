using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Work of a device that is done in its order: kernels (<see cref="Device.Kernels"/>), or copies beside them. Two streams know nothing of each other but where one waits for a mark of the
/// other. Calls return at once; on Cpu and Simulation the work has ended by then.
/// </summary>
public sealed class WorkStream : IDisposable
{
    private readonly Device device;
    private readonly AcceleratorStream stream;
    private readonly bool own;

    internal WorkStream(Device device, AcceleratorStream stream, bool own)
    {
        this.device = device;
        this.stream = stream;
        this.own = own;
    }

    /// <summary>Copies the first numbers of a buffer to the beginning of a view. They stay as they are until a mark behind is waited for.</summary>
    public void Upload(HostBuffer from, int count, ArrayView<float> to)
    {
        if (count > from.Length || count > to.Length)
            throw new ArgumentException($"{count} floats cannot be copied from a buffer of {from.Length} to a view of {to.Length}.");
        if (count == 0)
            return;
        Copy(from.Place(count), Place(to, count), (s, f, t, bytes) => CudaDriver.Upload(s, f, t, bytes));
    }

    /// <summary>Copies a view to the beginning of a buffer, where it may be read once a mark behind is waited for.</summary>
    public void Download(ArrayView<float> from, HostBuffer to)
    {
        if (from.Length > to.Length)
            throw new ArgumentException($"A buffer of {to.Length} floats cannot take {from.Length}.");
        if (from.Length == 0)
            return;
        Copy(Place(from, from.Length), to.Place(from.Length), (s, f, t, bytes) => CudaDriver.Download(s, f, t, bytes));
    }

    /// <summary>Copies between two views of the device, of the same length.</summary>
    public void Copy(ArrayView<float> from, ArrayView<float> to)
    {
        if (from.Length != to.Length)
            throw new ArgumentException($"Views of {from.Length} and {to.Length} floats differ in length.");
        if (from.Length == 0)
            return;
        device.WorkObserver?.Happened(new(WorkKind.Copy, this) { Reads = Place(from, from.Length), Writes = Place(to, to.Length) });
        if (device.IsHostMemory)
            HostMemory.Span(from).CopyTo(HostMemory.Span(to));
        else
            from.CopyTo(stream, to);
    }

    /// <summary>Sets a mark behind all that the stream was given.</summary>
    public void Set(StreamMark mark)
    {
        device.WorkObserver?.Happened(new(WorkKind.MarkSet, this, mark));
        mark.WasSet();
        if (device.IsHostMemory)
            return;
        device.Accelerator.Bind();
        CudaDriver.Record(mark.Event, ((CudaStream)stream).StreamPtr);
    }

    /// <summary>What the stream is given from now on comes after the mark, as it was set last.</summary>
    public void WaitFor(StreamMark mark)
    {
        device.WorkObserver?.Happened(new(WorkKind.StreamWait, this, mark));
        if (device.IsHostMemory)
            return;
        device.Accelerator.Bind();
        CudaDriver.Hold(((CudaStream)stream).StreamPtr, mark.Event);
    }

    private unsafe void Copy(MemoryPlace from, MemoryPlace to, Action<nint, nint, nint, long> onCuda)
    {
        device.WorkObserver?.Happened(new(WorkKind.Copy, this) { Reads = from, Writes = to });
        if (device.IsHostMemory)
        {
            Buffer.MemoryCopy((void*)from.Address, (void*)to.Address, to.Bytes, from.Bytes);
            return;
        }
        device.Accelerator.Bind();
        onCuda(((CudaStream)stream).StreamPtr, from.Address, to.Address, from.Bytes);
    }

    private static MemoryPlace Place(ArrayView<float> view, long count) => new(view.LoadEffectiveAddressAsPtr(), count * sizeof(float));

    public void Dispose()
    {
        if (own)
            device.GiveUp(stream.Dispose);
    }
}
