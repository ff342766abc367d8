using System.Runtime.InteropServices;
using System.Text;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The calls of NVIDIA's driver that ILGPU 1.5.3 has no words for: copies between page-locked memory and a device on a stream, events that one stream waits for while another goes on, and
/// shared memory beyond 48 KB. Only to be called where there is a CUDA device, by a thread whose context is current (<c>Accelerator.Bind</c>).
/// </summary>
internal static unsafe class CudaDriver
{
    /// <summary>CU_EVENT_DISABLE_TIMING: an event that is only waited for.</summary>
    private const uint WithoutTiming = 2;

    /// <summary>Least version for wgmma: CUDA 12.0, whose assembler knows PTX 8.0; and for tensor maps: CUDA 12.3, whose assembler knows PTX 8.3.</summary>
    private const int VersionOfWgmma = 12000, VersionOfTensorMaps = 12030;

    /// <summary>CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B.</summary>
    private const int TensorOfBf16 = 9, Swizzle128 = 3, Promotion256 = 3;

    /// <summary>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.</summary>
    private const int MostDynamicSharedBytes = 8;

    /// <summary>CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES.</summary>
    private const int ErrorLog = 5, ErrorLogBytes = 6;

    private static readonly nint Library = NativeLibrary.Load(CudaLibrary.Name);

    private static readonly delegate* unmanaged<nint, nint, nuint, nint, int> HostToDevice = (delegate* unmanaged<nint, nint, nuint, nint, int>)Export("cuMemcpyHtoDAsync_v2");

    private static readonly delegate* unmanaged<nint, nint, nuint, nint, int> DeviceToHost = (delegate* unmanaged<nint, nint, nuint, nint, int>)Export("cuMemcpyDtoHAsync_v2");

    private static readonly delegate* unmanaged<nint*, uint, int> EventCreate = (delegate* unmanaged<nint*, uint, int>)Export("cuEventCreate");

    private static readonly delegate* unmanaged<nint, nint, int> EventRecord = (delegate* unmanaged<nint, nint, int>)Export("cuEventRecord");

    private static readonly delegate* unmanaged<nint, int> EventSynchronize = (delegate* unmanaged<nint, int>)Export("cuEventSynchronize");

    private static readonly delegate* unmanaged<nint, int> EventDestroy = (delegate* unmanaged<nint, int>)Export("cuEventDestroy_v2");

    private static readonly delegate* unmanaged<float*, nint, nint, int> EventElapsedTime = (delegate* unmanaged<float*, nint, nint, int>)Export("cuEventElapsedTime");

    private static readonly delegate* unmanaged<nint, nint, uint, int> StreamWaitEvent = (delegate* unmanaged<nint, nint, uint, int>)Export("cuStreamWaitEvent");

    private static readonly delegate* unmanaged<nint, int, int, int> FunctionSetAttribute = (delegate* unmanaged<nint, int, int, int>)Export("cuFuncSetAttribute");

    private static readonly delegate* unmanaged<nint*, byte*, uint, int*, nint*, int> ModuleLoad = (delegate* unmanaged<nint*, byte*, uint, int*, nint*, int>)Export("cuModuleLoadDataEx");

    private static readonly delegate* unmanaged<nint, int> ModuleUnload = (delegate* unmanaged<nint, int>)Export("cuModuleUnload");

    private static readonly delegate* unmanaged<int> ContextSynchronize = (delegate* unmanaged<int>)Export("cuCtxSynchronize");

    private static readonly delegate* unmanaged<int*, int> DriverGetVersion = (delegate* unmanaged<int*, int>)Export("cuDriverGetVersion");

    /// <summary>Null where the driver is older than CUDA 12.0.</summary>
    private static readonly delegate* unmanaged<void*, int, uint, nint, ulong*, ulong*, uint*, uint*, int, int, int, int, int> TensorMapEncodeTiled =
        (delegate* unmanaged<void*, int, uint, nint, ulong*, ulong*, uint*, uint*, int, int, int, int, int>)(NativeLibrary.TryGetExport(Library, "cuTensorMapEncodeTiled", out nint encode) ? encode : 0);

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

    /// <summary>Whether a kernel has ended in a fault: what waits for the current context is told of it, ever after.</summary>
    public static bool HasFaulted() => ContextSynchronize() != 0;

    /// <summary>Lets a kernel be launched with so much shared memory beyond what it declares.</summary>
    public static void GiveSharedMemory(nint function, int bytes) => Check(FunctionSetAttribute(function, MostDynamicSharedBytes, bytes), $"give {bytes} bytes of shared memory to a kernel");

    /// <summary>What the driver's assembler says of a text that it does not take, in one line; empty where it takes it, or says nothing. ILGPU 1.5.3 keeps but the number of the error.</summary>
    public static string WordsOn(string ptx)
    {
        const int MostBytes = 8192;
        byte* log = stackalloc byte[MostBytes];
        log[0] = 0;
        int* options = stackalloc int[] { ErrorLog, ErrorLogBytes };
        nint* values = stackalloc nint[] { (nint)log, MostBytes };
        nint module;
        fixed (byte* text = Encoding.UTF8.GetBytes(ptx + '\0'))
            if (ModuleLoad(&module, text, 2, options, values) == 0)
            {
                ModuleUnload(module);
                return "";
            }
        // It ends with a zero, or with the buffer.
        var said = new ReadOnlySpan<byte>(log, MostBytes);
        return string.Join(' ', Encoding.UTF8.GetString(said[..(said.IndexOf((byte)0) is >= 0 and var end ? end : MostBytes)]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Why this driver takes no kernels with wgmma, or null.</summary>
    public static string? RefusesWgmma() => RefusesBefore(VersionOfWgmma);

    /// <summary>Why this driver takes no tensor maps, or null.</summary>
    public static string? RefusesTensorMaps() => RefusesBefore(VersionOfTensorMaps) ?? (TensorMapEncodeTiled == null ? "needs a driver that encodes tensor maps" : null);

    /// <summary>For which CUDA the driver is, and on Linux its own release, of which there are many for one CUDA.</summary>
    public static string Version()
    {
        const string Release = "/proc/driver/nvidia/version";
        return $"{CudaVersion()} {(File.Exists(Release) ? File.ReadAllText(Release) : "")}".Trim();
    }

    private static int CudaVersion()
    {
        int version;
        Check(DriverGetVersion(&version), "tell its version");
        return version;
    }

    private static string? RefusesBefore(int needed)
    {
        int version = CudaVersion();
        return version >= needed ? null : $"needs an NVIDIA driver for CUDA {needed / 1000}.{needed % 1000 / 10} or newer, and this one is for {version / 1000}.{version % 1000 / 10}";
    }

    /// <summary>Writes a tensor map as the copies of a GPU read it.</summary>
    /// <exception cref="InvalidOperationException">The driver refuses it.</exception>
    public static void Encode(in TensorBox box, Span<float> map)
    {
        const int Dimensions = 4, Alignment = 64;
        ulong* sizes = stackalloc ulong[] { (ulong)box.Channels, (ulong)box.Columns, (ulong)box.Rows, (ulong)box.Maps };
        ulong* strides = stackalloc ulong[Dimensions - 1];
        for (int i = 0; i < Dimensions - 1; i++)
            strides[i] = (i == 0 ? TensorBox.NumberBytes : strides[i - 1]) * sizes[i];
        uint* parts = stackalloc uint[] { TensorBox.BoxChannels, (uint)box.BoxColumns, (uint)box.BoxRows, 1 }, steps = stackalloc uint[] { 1, 1, 1, 1 };
        byte* memory = stackalloc byte[TensorMapBytes.Length + Alignment];
        byte* aligned = memory + (Alignment - (nint)memory % Alignment);
        Check(TensorMapEncodeTiled(aligned, TensorOfBf16, Dimensions, box.Address, sizes, strides, parts, steps, 0, Swizzle128, Promotion256, 0), $"encode a tensor map for {box}");
        new ReadOnlySpan<float>(aligned, map.Length).CopyTo(map);
    }

    private static nint Export(string name) => NativeLibrary.GetExport(Library, name);

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw new InvalidOperationException($"The NVIDIA driver does not {what} (CUDA error {result}): look at nvidia-smi, and take a newer driver if the error stays.");
    }
}
