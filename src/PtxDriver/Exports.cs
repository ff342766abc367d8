using System.Runtime.InteropServices;
using System.Text;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// The entries of NVIDIA's driver that ILGPU 1.5.3 and this project's programs call, with the driver's names and arguments; what is missing here the program's loader names. CUDA's driver API
/// describes each.
/// </summary>
internal static unsafe class Exports
{
    /// <summary>CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_MEMORYTYPE_DEVICE.</summary>
    private const int MemoryType = 2, OnDevice = 2;

    /// <summary>CU_STREAM_NON_BLOCKING, CU_EVENT_DISABLE_TIMING.</summary>
    private const uint NonBlocking = 1, WithoutTiming = 2;

    /// <summary>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.</summary>
    private const int MostDynamicSharedBytes = 8;

    /// <summary>CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES.</summary>
    private const int ErrorLog = 5, ErrorLogBytes = 6;

    /// <summary>CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE.</summary>
    private const nint BufferPointer = 1, BufferSize = 2;

    [UnmanagedCallersOnly(EntryPoint = "cuInit")]
    public static int Init(uint _) => Driver.Open();

    [UnmanagedCallersOnly(EntryPoint = "cuDriverGetVersion")]
    public static int DriverGetVersion(int* version) => Driver.DoAnyTime(() => *version = Driver.Settings.Version);

    [UnmanagedCallersOnly(EntryPoint = "cuGetErrorString")]
    public static int GetErrorString(int result, nint* text)
    {
        *text = Driver.TextOf(result);
        return (int)CudaResult.Success;
    }

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetCount")]
    public static int DeviceGetCount(int* count) => Driver.Do(_ => *count = 1);

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGet")]
    public static int DeviceGet(int* device, int ordinal) => Driver.Do(_ => *device = ordinal == 0 ? 0 : throw new DriverException(CudaResult.InvalidDevice, $"There is no device {ordinal}, only 0."));

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetName")]
    public static int DeviceGetName(byte* name, int length, int device) => Driver.Do(driver =>
    {
        byte[] text = Encoding.UTF8.GetBytes(driver.Chip.Description + ", its PTX executed on the processor");
        int taken = Math.Min(text.Length, length - 1);
        text.AsSpan(0, taken).CopyTo(new Span<byte>(name, length));
        name[taken] = 0;
    });

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceTotalMem_v2")]
    public static int DeviceTotalMem(nuint* bytes, int device) => Driver.Do(driver => *bytes = (nuint)(driver.Chip.MemoryBytes));

    [UnmanagedCallersOnly(EntryPoint = "cuDeviceGetAttribute")]
    public static int DeviceGetAttribute(int* value, int attribute, int device) => Driver.Do(driver => *value = driver.Chip.Attribute(attribute));

    [UnmanagedCallersOnly(EntryPoint = "cuCtxCreate_v2")]
    public static int CtxCreate(nint* context, uint flags, int device) => Driver.Do(driver => Driver.Current = *context = driver.Keep(new DriverContext()));

    [UnmanagedCallersOnly(EntryPoint = "cuCtxDestroy_v2")]
    public static int CtxDestroy(nint context) => Driver.Do(driver =>
    {
        driver.GiveUp<DriverContext>(context);
        if (Driver.Current == context)
            Driver.Current = 0;
        driver.RefuseAfterFault();
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSetCurrent")]
    public static int CtxSetCurrent(nint context) => Driver.Do(driver =>
    {
        if (context != 0)
            driver.Find<DriverContext>(context);
        Driver.Current = context;
        // As its maker says: it may return errors of launches before.
        driver.RefuseAfterFault();
    });

    [UnmanagedCallersOnly(EntryPoint = "cuCtxSynchronize")]
    public static int CtxSynchronize() => Driver.DoInContext(driver => driver.Synchronize());

    /// <summary>CU_SHARED_MEM_CONFIG_FOUR_BYTE_BANK_SIZE, as on every chip since Maxwell.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetSharedMemConfig")]
    public static int CtxGetSharedMemConfig(int* config) => Driver.DoInContext(_ => *config = 1);

    /// <summary>CU_FUNC_CACHE_PREFER_NONE.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuCtxGetCacheConfig")]
    public static int CtxGetCacheConfig(int* config) => Driver.DoInContext(_ => *config = 0);

    [UnmanagedCallersOnly(EntryPoint = "cuMemGetInfo_v2")]
    public static int MemGetInfo(nuint* free, nuint* total) => Driver.DoInContext(driver => (*free, *total) = ((nuint)driver.Memory.Free, (nuint)(driver.Chip.MemoryBytes)));

    [UnmanagedCallersOnly(EntryPoint = "cuMemAlloc_v2")]
    public static int MemAlloc(ulong* address, nuint bytes) => Driver.DoInContext(driver => *address = driver.Memory.Allocate((long)bytes));

    /// <summary>Waits for the device, as NVIDIA's does.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuMemFree_v2")]
    public static int MemFree(ulong address) => Driver.DoInContext(driver =>
    {
        driver.Synchronize();
        driver.Memory.Release(address);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemAllocHost_v2")]
    public static int MemAllocHost(void** pointer, nuint bytes) => Driver.DoInContext(driver => driver.Memory.Lock(*pointer = NativeMemory.AlignedAlloc(bytes, 4096), (long)bytes));

    [UnmanagedCallersOnly(EntryPoint = "cuMemFreeHost")]
    public static int MemFreeHost(void* pointer) => Driver.DoInContext(driver =>
    {
        driver.Synchronize();
        driver.Memory.Unlock(pointer);
        NativeMemory.AlignedFree(pointer);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostRegister_v2")]
    public static int MemHostRegister(void* pointer, nuint bytes, uint flags) => Driver.DoInContext(driver => driver.Memory.Lock(pointer, (long)bytes));

    [UnmanagedCallersOnly(EntryPoint = "cuMemHostUnregister")]
    public static int MemHostUnregister(void* pointer) => Driver.DoInContext(driver =>
    {
        driver.Synchronize();
        driver.Memory.Unlock(pointer);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuPointerGetAttribute")]
    public static int PointerGetAttribute(void* data, int attribute, ulong address) => Driver.DoInContext(driver =>
        *(int*)data = attribute == MemoryType && driver.Memory.Global.IsMapped(address) ? OnDevice : throw new DriverException(CudaResult.InvalidValue, $"Attribute {attribute} of 0x{address:x} is not known."));

    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyAsync")]
    public static int MemcpyAsync(ulong to, ulong from, nuint bytes, nint stream) => Driver.DoInContext(driver => driver.Copy(stream, to, from, (long)bytes));

    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static int MemcpyToDeviceAsync(ulong to, void* from, nuint bytes, nint stream) => Driver.DoInContext(driver => driver.Copy(stream, to, (ulong)from, (long)bytes));

    [UnmanagedCallersOnly(EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static int MemcpyToHostAsync(void* to, ulong from, nuint bytes, nint stream) => Driver.DoInContext(driver => driver.Copy(stream, (ulong)to, from, (long)bytes));

    [UnmanagedCallersOnly(EntryPoint = "cuMemsetD8Async")]
    public static int MemsetAsync(ulong to, byte value, nuint bytes, nint stream) => Driver.DoInContext(driver =>
    {
        driver.Memory.At(to, (long)bytes, device: true);
        driver.Give(stream, () => NativeMemory.Fill(driver.Memory.At(to, (long)bytes, device: true), bytes, value));
    });

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadData")]
    public static int ModuleLoadData(nint* module, byte* image) => Load(module, image);

    [UnmanagedCallersOnly(EntryPoint = "cuModuleLoadDataEx")]
    public static int ModuleLoadDataEx(nint* module, byte* image, uint count, int* options, nint* values) => Driver.DoInContext(driver =>
    {
        byte* log = null;
        int bytes = 0;
        for (int i = 0; i < count; i++)
            if (options[i] == ErrorLog)
                log = (byte*)values[i];
            else if (options[i] == ErrorLogBytes)
                bytes = (int)values[i];
        try
        {
            *module = driver.Keep(driver.Load(Marshal.PtrToStringUTF8((nint)image)!));
        }
        catch (Exception e) when (log != null && bytes > 0)
        {
            byte[] words = Encoding.UTF8.GetBytes(e.Message);
            int taken = Math.Min(words.Length, bytes - 1);
            words.AsSpan(0, taken).CopyTo(new Span<byte>(log, bytes));
            log[taken] = 0;
            throw;
        }
    });

    [UnmanagedCallersOnly(EntryPoint = "cuModuleUnload")]
    public static int ModuleUnload(nint module) => Driver.DoInContext(driver =>
    {
        driver.Synchronize();
        foreach (nint kernel in driver.GiveUp<LoadedModule>(module).Kernels.Values)
            driver.GiveUp<LoadedKernel>(kernel);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuModuleGetFunction")]
    public static int ModuleGetFunction(nint* function, nint module, byte* name) => Driver.DoInContext(driver =>
    {
        string text = Marshal.PtrToStringUTF8((nint)name)!;
        *function = driver.Find<LoadedModule>(module).Kernels.TryGetValue(text, out nint found) ? found : throw new DriverException(CudaResult.NotFound, $"The module has no kernel {text}.");
    });

    [UnmanagedCallersOnly(EntryPoint = "cuFuncSetAttribute")]
    public static int FuncSetAttribute(nint function, int attribute, int value) => Driver.DoInContext(driver =>
    {
        if (attribute != MostDynamicSharedBytes)
            throw new DriverException(CudaResult.InvalidValue, $"The attribute {attribute} of functions is not known.");
        driver.Find<LoadedKernel>(function).Allow(value, driver.Chip);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuLaunchKernel")]
    public static int LaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint groupX, uint groupY, uint groupZ, uint dynamicSharedBytes, nint stream, nint* values, nint* extra) => Driver.DoInContext(driver =>
    {
        byte[]? block = null;
        if (values == null)
        {
            nint buffer = 0, bytes = 0;
            for (; extra[0] is BufferPointer or BufferSize; extra += 2)
                if (extra[0] == BufferPointer)
                    buffer = extra[1];
                else
                    bytes = *(nint*)extra[1];
            block = new ReadOnlySpan<byte>((byte*)buffer, (int)bytes).ToArray();
        }
        var launch = new PtxLaunch(((int)gridX, (int)gridY, (int)gridZ), ((int)groupX, (int)groupY, (int)groupZ)) { DynamicSharedBytes = (int)dynamicSharedBytes };
        driver.Launch(function, launch, stream, values, block);
    });

    [UnmanagedCallersOnly(EntryPoint = "cuStreamCreate")]
    public static int StreamCreate(nint* stream, uint flags) => Driver.DoInContext(driver => *stream = driver.Keep(new DriverStream((flags & NonBlocking) == 0)));

    [UnmanagedCallersOnly(EntryPoint = "cuStreamSynchronize")]
    public static int StreamSynchronize(nint stream) => Driver.DoInContext(driver => driver.Stream(stream).Queue.DoAll());

    [UnmanagedCallersOnly(EntryPoint = "cuStreamWaitEvent")]
    public static int StreamWaitEvent(nint stream, nint awaited, uint flags) => Driver.DoInContext(driver => driver.Find<DriverEvent>(awaited).Hold(driver.Stream(stream).Queue));

    [UnmanagedCallersOnly(EntryPoint = "cuStreamDestroy_v2")]
    public static int StreamDestroy(nint stream) => Driver.DoInContext(driver => driver.GiveUp<DriverStream>(stream).Queue.DoAll());

    [UnmanagedCallersOnly(EntryPoint = "cuEventCreate")]
    public static int EventCreate(nint* created, uint flags) => Driver.DoInContext(driver => *created = driver.Keep(new DriverEvent((flags & WithoutTiming) == 0)));

    [UnmanagedCallersOnly(EntryPoint = "cuEventRecord")]
    public static int EventRecord(nint recorded, nint stream) => Driver.DoInContext(driver => driver.Find<DriverEvent>(recorded).Record(driver.Stream(stream).Queue));

    [UnmanagedCallersOnly(EntryPoint = "cuEventSynchronize")]
    public static int EventSynchronize(nint awaited) => Driver.DoInContext(driver => driver.Find<DriverEvent>(awaited).Wait());

    [UnmanagedCallersOnly(EntryPoint = "cuEventElapsedTime")]
    public static int EventElapsedTime(float* milliseconds, nint from, nint to) => Driver.DoInContext(driver => *milliseconds = driver.Find<DriverEvent>(from).MillisecondsTo(driver.Find<DriverEvent>(to)));

    [UnmanagedCallersOnly(EntryPoint = "cuEventDestroy_v2")]
    public static int EventDestroy(nint destroyed) => Driver.DoInContext(driver => driver.GiveUp<DriverEvent>(destroyed));

    /// <summary>Tiled maps, in <see cref="TensorMap"/>'s own form.</summary>
    [UnmanagedCallersOnly(EntryPoint = "cuTensorMapEncodeTiled")]
    public static int TensorMapEncodeTiled(
        byte* map, int type, uint rank, ulong address, ulong* sizes, ulong* strides, uint* box, uint* elementStrides, int interleave, int swizzle, int promotion, int fill) => Driver.DoInContext(driver =>
    {
        if ((nint)map % TensorMap.Alignment != 0)
            throw new DriverException(CudaResult.InvalidValue, $"A tensor map stands at a multiple of {TensorMap.Alignment} bytes.");
        if (interleave != 0 || fill != 0)
            throw new DriverException(CudaResult.InvalidValue, "Interleaved tensors and NaN beside them are not known.");
        var told = new TensorMap
        {
            Address = address, ElementBytes = ElementBytes(type), Sizes = [.. new ReadOnlySpan<ulong>(sizes, (int)rank).ToArray().Select(s => checked((int)s))],
            Strides = [.. new ReadOnlySpan<ulong>(strides, (int)rank - 1).ToArray().Select(s => checked((long)s))], Box = [.. new ReadOnlySpan<uint>(box, (int)rank).ToArray().Select(s => checked((int)s))],
            ElementStrides = [.. new ReadOnlySpan<uint>(elementStrides, (int)rank).ToArray().Select(s => checked((int)s))], Swizzle = swizzle == 0 ? 0 : 16 << swizzle,
        };
        if (told.Wrong() is { } wrong)
            throw new DriverException(CudaResult.InvalidValue, $"No tensor map: {wrong}.");
        told.Encode().CopyTo(new Span<byte>(map, TensorMap.Bytes));
    });

    /// <summary>Of CUtensorMapDataType.</summary>
    private static int ElementBytes(int type) => type switch
    {
        0 => 1, // UINT8
        1 or 6 or 9 => 2, // UINT16, FLOAT16, BFLOAT16
        2 or 3 or 7 or 10 or 11 or 12 => 4, // UINT32, INT32, FLOAT32, FLOAT32_FTZ, TFLOAT32, TFLOAT32_FTZ
        4 or 5 or 8 => 8, // UINT64, INT64, FLOAT64
        _ => throw new DriverException(CudaResult.InvalidValue, $"The data type {type} of tensors is not known."),
    };

    private static int Load(nint* module, byte* image) => Driver.DoInContext(driver => *module = driver.Keep(driver.Load(Marshal.PtrToStringUTF8((nint)image)!)));
}
