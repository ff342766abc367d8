using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The calls of NVIDIA's driver that ILGPU 1.5.3 has no words for: copies between page-locked memory and a device on a stream, events that one stream waits for while another goes on, and
/// shared memory beyond 48 KB. Only to be called where there is a CUDA device, by a thread whose context is current (<c>Accelerator.Bind</c>).
/// </summary>
internal static unsafe class CudaDriver
{
    /// <summary>CU_EVENT_DISABLE_TIMING: an event that is only waited for.</summary>
    private const uint WithoutTiming = 2;

    /// <summary>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.</summary>
    private const int MostDynamicSharedBytes = 8;

    private static readonly nint Library = NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so.1");

    private static readonly delegate* unmanaged<nint, nint, nuint, nint, int> HostToDevice = (delegate* unmanaged<nint, nint, nuint, nint, int>)Export("cuMemcpyHtoDAsync_v2");

    private static readonly delegate* unmanaged<nint, nint, nuint, nint, int> DeviceToHost = (delegate* unmanaged<nint, nint, nuint, nint, int>)Export("cuMemcpyDtoHAsync_v2");

    private static readonly delegate* unmanaged<nint*, uint, int> EventCreate = (delegate* unmanaged<nint*, uint, int>)Export("cuEventCreate");

    private static readonly delegate* unmanaged<nint, nint, int> EventRecord = (delegate* unmanaged<nint, nint, int>)Export("cuEventRecord");

    private static readonly delegate* unmanaged<nint, int> EventSynchronize = (delegate* unmanaged<nint, int>)Export("cuEventSynchronize");

    private static readonly delegate* unmanaged<nint, int> EventDestroy = (delegate* unmanaged<nint, int>)Export("cuEventDestroy_v2");

    private static readonly delegate* unmanaged<float*, nint, nint, int> EventElapsedTime = (delegate* unmanaged<float*, nint, nint, int>)Export("cuEventElapsedTime");

    private static readonly delegate* unmanaged<nint, nint, uint, int> StreamWaitEvent = (delegate* unmanaged<nint, nint, uint, int>)Export("cuStreamWaitEvent");

    private static readonly delegate* unmanaged<nint, int, int, int> FunctionSetAttribute = (delegate* unmanaged<nint, int, int, int>)Export("cuFuncSetAttribute");

    public static void Upload(nint stream, nint from, nint to, long bytes) => Check(HostToDevice(to, from, (nuint)bytes, stream), "copy to the device");

    public static void Download(nint stream, nint from, nint to, long bytes) => Check(DeviceToHost(to, from, (nuint)bytes, stream), "copy from the device");

    /// <param name="timed">Whether the time between it and another may be asked for.</param>
    public static nint CreateEvent(bool timed)
    {
        nint created;
        Check(EventCreate(&created, timed ? 0 : WithoutTiming), "make an event");
        return created;
    }

    /// <summary>From one timed event to another, both of which have happened.</summary>
    public static double Seconds(nint from, nint to)
    {
        float milliseconds;
        Check(EventElapsedTime(&milliseconds, from, to), "tell the time between events");
        return milliseconds / 1000.0;
    }

    /// <summary>The event has happened when all that the stream was given before has ended.</summary>
    public static void Record(nint recorded, nint stream) => Check(EventRecord(recorded, stream), "record an event");

    /// <summary>The calling thread waits.</summary>
    public static void Wait(nint awaited) => Check(EventSynchronize(awaited), "wait for an event");

    /// <summary>What the stream is given from now on waits; the calling thread does not.</summary>
    public static void Hold(nint stream, nint awaited) => Check(StreamWaitEvent(stream, awaited, 0), "let a stream wait");

    public static void Destroy(nint destroyed) => Check(EventDestroy(destroyed), "give up an event");

    /// <summary>Lets a kernel be launched with so much shared memory beyond what it declares.</summary>
    public static void GiveSharedMemory(nint function, int bytes) => Check(FunctionSetAttribute(function, MostDynamicSharedBytes, bytes), $"give {bytes} bytes of shared memory to a kernel");

    private static nint Export(string name) => NativeLibrary.GetExport(Library, name);

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw new InvalidOperationException($"The NVIDIA driver does not {what} (CUDA error {result}): look at nvidia-smi, and take a newer driver if the error stays.");
    }
}
