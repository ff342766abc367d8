using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// One GPU that is none: what NVIDIA's driver would do with a program's calls, kernels executed as their PTX says (<see cref="PtxExecutor"/>). It holds the driver's rules where breaking one is easy to
/// overlook: a thread without its context, shared memory that nobody asked for, results that nobody waited for. A fault ends the context, as on a GPU, and its words say where.
/// </summary>
internal sealed unsafe class Driver
{
    private static readonly Lock Gate = new();
    private static DriverSettings? settings;
    private static Driver? opened;
    private static (CudaResult Result, nint Text) lastError;

    private readonly Dictionary<nint, object> handles = [];
    private readonly Dictionary<string, string> texts = [];
    private readonly StreamWriter? log;
    private DriverException? fault;
    private nint lastHandle = 0x1000;

    private Driver()
    {
        Chip = Settings.Chip;
        Memory = new(Chip.MemoryBytes);
        log = Settings.Log is { Length: > 0 } path ? new(path, append: true) { AutoFlush = true } : null;
    }

    /// <summary>What it pretends to be; at first as variables say.</summary>
    public static DriverSettings Settings => settings ??= DriverSettings.FromEnvironment();

    public DriverChip Chip { get; }

    public DeviceMemory Memory { get; }

    /// <summary>The PTX in which a kernel was loaded last, by its name there; null if it was not.</summary>
    public static string? TextOf(string kernel)
    {
        lock (Gate)
            return opened?.texts.GetValueOrDefault(kernel);
    }

    /// <summary>Begins anew as something else, and is open where it was. What it gave out before is worth nothing then.</summary>
    public static void Restart(DriverSettings anew)
    {
        lock (Gate)
        {
            settings = anew;
            opened = opened is null ? null : new();
        }
    }

    /// <summary>Stream 0, for which streams that were made without CU_STREAM_NON_BLOCKING wait, and it for them.</summary>
    public DriverStream DefaultStream { get; } = new(waitsForDefault: false);

    public static int Open() => Guarded(() => opened ??= new());

    /// <summary>Does a call that may come before <c>cuInit</c>.</summary>
    public static int DoAnyTime(Action call) => Guarded(call);

    /// <summary>Does a call that needs no context.</summary>
    public static int Do(Action<Driver> call) => Guarded(() => call(opened ?? throw new DriverException(CudaResult.NotInitialized, "cuInit was not called.")));

    /// <summary>Does a call of a thread that has a context.</summary>
    public static int DoInContext(Action<Driver> call) => Do(driver =>
    {
        driver.RefuseAfterFault();
        if (Current == 0)
            throw new DriverException(CudaResult.InvalidContext, "No context is current on the calling thread.");
        driver.Find<DriverContext>(Current);
        call(driver);
    });

    /// <summary>Nothing works any more then.</summary>
    public void RefuseAfterFault()
    {
        if (fault is { } before)
            throw before;
    }

    private static int Guarded(Action call)
    {
        lock (Gate)
            try
            {
                call();
                return (int)CudaResult.Success;
            }
            catch (DriverException e)
            {
                return Failed(e.Result, e.Message, isKnown: e == opened?.fault);
            }
            catch (PtxFaultException e)
            {
                var result = e.Faults[0].Kind switch
                {
                    PtxFaultKind.OutOfBounds => CudaResult.IllegalAddress,
                    PtxFaultKind.Misaligned => CudaResult.MisalignedAddress,
                    _ => CudaResult.LaunchFailed,
                };
                opened!.fault = new(result, e.Message);
                return Failed(result, e.Message);
            }
            catch (PtxSyntaxException e)
            {
                return Failed(CudaResult.InvalidPtx, e.Message);
            }
            catch (Exception e)
            {
                // Native code stands between the caller and here, through which no exception may pass.
                return Failed(CudaResult.Unknown, e.ToString());
            }
    }

    /// <param name="isKnown">Whether it was told before.</param>
    private static int Failed(CudaResult result, string message, bool isKnown = false)
    {
        if (!isKnown)
            Console.Error.WriteLine($"PTX driver: {message}");
        // Who asked for the words before may still read them.
        lastError = (result, Marshal.StringToCoTaskMemUTF8(message));
        return (int)result;
    }

    /// <summary>What to say of a result; the last failure's own words where it is that.</summary>
    public static nint TextOf(int result)
    {
        lock (Gate)
        {
            if ((int)lastError.Result != result)
                lastError = ((CudaResult)result, Marshal.StringToCoTaskMemUTF8(((CudaResult)result).ToString()));
            return lastError.Text;
        }
    }

    public nint Keep(object thing)
    {
        handles.Add(lastHandle += 16, thing);
        return lastHandle;
    }

    public T Find<T>(nint handle)
        => handles.TryGetValue(handle, out object? found) && found is T thing ? thing : throw new DriverException(CudaResult.InvalidHandle, $"0x{handle:x} is no handle of a {typeof(T).Name}, or was given up before.");

    public T GiveUp<T>(nint handle)
    {
        var thing = Find<T>(handle);
        handles.Remove(handle);
        return thing;
    }

    public DriverStream Stream(nint handle) => handle == 0 ? DefaultStream : Find<DriverStream>(handle);

    /// <summary>The calling thread's context; 0 for none.</summary>
    [field: ThreadStatic]
    public static nint Current { get; set; }

    /// <summary>A stream's next work.</summary>
    public void Give(nint stream, Action work)
    {
        var to = Stream(stream);
        if (to == DefaultStream)
            foreach (var other in handles.Values.OfType<DriverStream>().Where(s => s.WaitsForDefault && s.Queue.Position > 0))
                Behind(to.Queue, other.Queue);
        else if (to.WaitsForDefault)
            Behind(to.Queue, DefaultStream.Queue);
        to.Queue.Give(work);
    }

    private static void Behind(WorkQueue queue, WorkQueue before)
    {
        long until = before.Position;
        queue.Give(() => before.DoUntil(until));
    }

    /// <summary>Waits for everything.</summary>
    public void Synchronize()
    {
        DefaultStream.Queue.DoAll();
        foreach (var stream in handles.Values.OfType<DriverStream>())
            stream.Queue.DoAll();
    }

    /// <summary>
    /// Copies between the device and the host or on the device. As the driver does it, memory of the host that is not page-locked is read before the call returns, or written.
    /// </summary>
    public void Copy(nint stream, ulong to, ulong from, long bytes)
    {
        bool toDevice = Memory.Global.IsMapped(to), fromDevice = Memory.Global.IsMapped(from);
        if (!(toDevice || Memory.IsLocked(to, bytes)) || !(fromDevice || Memory.IsLocked(from, bytes)))
            // Whatever the caller has not pinned moves now.
            GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
        // What a wrong length or an address given up is, is said at the call.
        Memory.At(to, bytes, toDevice);
        Memory.At(from, bytes, fromDevice);
        if (!fromDevice && !Memory.IsLocked(from, bytes))
        {
            byte[] taken = new ReadOnlySpan<byte>((byte*)from, checked((int)bytes)).ToArray();
            Give(stream, () => taken.CopyTo(new Span<byte>(Memory.At(to, bytes, toDevice), taken.Length)));
        }
        else
            Give(stream, () => Buffer.MemoryCopy(Memory.At(from, bytes, fromDevice), Memory.At(to, bytes, toDevice), bytes, bytes));
        if (!toDevice && !Memory.IsLocked(to, bytes))
            Stream(stream).Queue.DoAll();
    }

    /// <summary>Reads a module.</summary>
    public LoadedModule Load(string text)
    {
        var module = PtxModule.Parse(text);
        if (!Chip.Takes(module.Target))
            throw new DriverException(CudaResult.NoBinaryForGpu, $"A module for {module.Target} does not run on {Chip.Description}, which is sm_{Chip.Major}{Chip.Minor}.");
        int version = Settings.Version;
        // CUDA 11.0 came with PTX 7.0, 12.0 with 8.0, and each version between added a tenth, but for 12.6.
        int minor = version % 1000 / 10, most = (version / 1000 - 4) * 10 + minor - (minor > 5 && version >= 12000 ? 1 : 0);
        if (double.Parse(module.Version, CultureInfo.InvariantCulture) > most / 10.0)
            throw new DriverException(CudaResult.UnsupportedPtxVersion, $"A module of PTX {module.Version} is newer than a driver for CUDA {version / 1000}.{minor}.");
        foreach (var kernel in module.Kernels)
            texts[kernel.Name] = text;
        return new(module.Kernels.ToDictionary(k => k.Name, k => Keep(new LoadedKernel(k))));
    }

    /// <param name="values">Where each argument stands.</param>
    /// <param name="block">Or the block of all of them.</param>
    public void Launch(nint function, PtxLaunch launch, nint stream, nint* values, byte[]? block)
    {
        var kernel = Find<LoadedKernel>(function);
        kernel.Check(launch);
        byte[] parameters = block ?? new byte[kernel.Function.ParameterBytes];
        if (block is null)
            for (int i = 0; i < kernel.Function.Parameters.Count; i++)
                new ReadOnlySpan<byte>((byte*)values[i], kernel.Function.Parameters[i].Bytes).CopyTo(parameters.AsSpan(kernel.Function.Parameters[i].Offset));
        if (parameters.Length != kernel.Function.ParameterBytes)
            throw new DriverException(CudaResult.InvalidValue, $"{kernel.Function.Name} takes {kernel.Function.ParameterBytes} bytes of parameters and gets {parameters.Length}.");
        Give(stream, () =>
        {
            long begin = Stopwatch.GetTimestamp();
            FailAsAsked(kernel.Function);
            kernel.Run(launch, parameters, Memory.Global);
            log?.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{kernel.Function.Name} grid {launch.Grid} group {launch.Group} shared {kernel.Function.SharedBytes}+{launch.DynamicSharedBytes} {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:0.0} ms"));
        });
    }

    /// <summary>What only a GPU's kernels do, rehearsed: a fault, and a launch that never ends.</summary>
    private static void FailAsAsked(PtxFunction kernel)
    {
        bool Is(string? part) => part is not null && kernel.Name.Contains(part, StringComparison.Ordinal);
        if (Is(Settings.Faults))
            throw new PtxFaultException([new(PtxFaultKind.OutOfBounds, kernel.Name, kernel.Line, default, 0, "it faults, as was asked for")]);
        if (Is(Settings.Hangs))
            Thread.Sleep(Timeout.Infinite);
    }
}
