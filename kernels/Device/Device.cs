using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// An opened compute device: allocates buffers and launches kernels on it. One thread at a time may launch on a device; every
/// operation has finished, on Cpu and Simulation, when its call returns, on Cuda after <see cref="Synchronize"/> or a copy to the host.
/// </summary>
public sealed class Device : IDisposable
{
    private const string NeedsHopper = "needs a CUDA device of compute capability 9.0";

    private readonly Context context;
    private readonly ConcurrentDictionary<object, object> launchers = new();
    private readonly HostPool? hostPool;
    private IKernelLauncher? launcher;
    private bool simulatesHopper;
    private TensorMaps? tensorMaps;
    private string? refusesTensorMaps;
    private bool refusedKernel;
    private long allocatedBytes;
    private int allocations;

    private Device(DeviceKind kind, Context context, Accelerator accelerator, int threads)
    {
        Kind = kind;
        this.context = context;
        Accelerator = accelerator;
        Threads = threads;
        if (kind == DeviceKind.Cpu)
            hostPool = new HostPool(accelerator, threads);
        Kernels = new(this, accelerator.DefaultStream, own: false);
        RefusesWgmma = accelerator is CudaAccelerator { Architecture: var architecture } && architecture == CudaArchitecture.SM_90 ? CudaDriver.RefusesWgmma() : NeedsHopper;
    }

    public DeviceKind Kind { get; }
    public Accelerator Accelerator { get; }

    /// <summary>Worker threads that Host variants use; 1 or more. Results never depend on it.</summary>
    public int Threads { get; }

    /// <summary>True where a view's memory may be read through a host pointer.</summary>
    public bool IsHostMemory => Kind != DeviceKind.Cuda;

    /// <summary>
    /// Whether launches and copies go on while the host does: what feeds a device then keeps it busy with a batch or a step ahead, instead of looking at each result at once. So a GPU;
    /// and the processor where it was opened so, to show that nothing depends on it.
    /// </summary>
    public bool WorksBesideHost { get; private init; }

    /// <summary>Bytes of device buffers that are allocated now.</summary>
    public long AllocatedBytes => Interlocked.Read(ref allocatedBytes);

    /// <summary>How many buffers were ever allocated; a training step must not change it.</summary>
    public int AllocationCount => Volatile.Read(ref allocations);

    /// <summary>The kind of variant that runs wherever it can; null for the order of the table.</summary>
    public VariantKind? Preferred { get; private init; }

    /// <summary>The coarsest rounding of inputs that is admitted: variants that round more are not chosen.</summary>
    public Precision Precision { get; private init; }

    /// <summary>Variants that refuse everything here, for they are known to be wrong on this device; null, as at first, for none.</summary>
    internal IReadOnlySet<Variant>? LeftOut { get; set; }

    /// <summary>Is told of each operation and its time; null, as at first, costs nothing.</summary>
    public IOperationObserver? Observer { get; set; }

    /// <summary>Is told of launches, copies and waits; null, as at first, costs nothing.</summary>
    public IWorkObserver? WorkObserver { get; set; }

    /// <summary>Is told of steps, passes and layers; null costs nothing. On CUDA a profiler's, where its library is found.</summary>
    public IRangeSink? Ranges { get; set; }

    /// <summary>The stream that kernels are launched on.</summary>
    public WorkStream Kernels { get; }

    /// <summary>Whether the instructions of tensor cores run: compute capability 8.0 and on, and the simulation.</summary>
    public bool HasTensorCores => Kind == DeviceKind.Simulation || Accelerator is CudaAccelerator { Architecture: var architecture } && architecture >= CudaArchitecture.SM_80;

    /// <summary>Multiprocessors of a GPU; where there is none, an H100's, so that choices are those of one.</summary>
    public int Multiprocessors => Accelerator is CudaAccelerator ? Accelerator.NumMultiprocessors : 132;

    /// <summary>Bytes of shared memory that a block may ask for: all of a multiprocessor's but 1 KB, which the driver keeps for each block; an H100's where there is no GPU.</summary>
    public int MostSharedBytes => (Accelerator is CudaAccelerator cuda ? cuda.MaxSharedMemoryPerMultiprocessor : 228 * 1024) - 1024;

    /// <summary>Whether Hopper's wgmma runs: on compute capability 9.0 and no other, where that is simulated, and where another launcher executes the PTX; with a driver that is new enough.</summary>
    public bool HasWgmma => RefusesWgmma is null;

    /// <summary>Why not, or null.</summary>
    internal string? RefusesWgmma { get; private init; }

    /// <summary>The tensor maps by which kernels copy; only where <see cref="RefusesTensorMaps"/> is null.</summary>
    internal TensorMaps TensorMaps => tensorMaps ??= new(this, launcher is { } executes ? executes.Encode : simulatesHopper ? SimulatedCopy.Encode : EncodeByDriver);

    /// <summary>Why the driver takes no tensor maps, or null: it is asked once, and encodes one. What copies by them is left to other variants then.</summary>
    internal string? RefusesTensorMaps => launcher is { } executes ? executes.RefusesTensorMaps : simulatesHopper || tensorMaps is not null ? null : refusesTensorMaps ??= TryTensorMaps();

    /// <summary>The processor with Host variants.</summary>
    /// <param name="threads">Worker threads; 0 means one for every processor that this process may use.</param>
    /// <param name="preferred">Such as Reference, to see what whole networks compute with sums in fp64.</param>
    /// <param name="worksBesideHost">Whether it is fed as a GPU is; results are the same.</param>
    public static Device Cpu(int threads = 0, VariantKind? preferred = null, bool worksBesideHost = false)
    {
        if (threads <= 0)
            threads = Environment.ProcessorCount;
        var context = KernelContext.Create(b => b.CPU(new CPUDevice(32, 8, threads)));
        return new Device(DeviceKind.Cpu, context, context.GetCPUDevice(0).CreateCPUAccelerator(context), threads) { Preferred = preferred, WorksBesideHost = worksBesideHost };
    }

    /// <summary>The processor as a simulated GPU with warps of 32 threads, at most 256 threads a group.</summary>
    /// <param name="hopper">Whether it is one of compute capability 9.0, with at most 512 threads a group.</param>
    public static Device Simulation(Precision precision = Precision.Fp32, IKernelLauncher? launcher = null, bool hopper = false)
    {
        var context = KernelContext.Create(b => b.CPU(new CPUDevice(32, hopper ? 16 : 8, 1)), runsAsItStands: true);
        return new Device(DeviceKind.Simulation, context, context.GetCPUDevice(0).CreateCPUAccelerator(context), 1)
        {
            Precision = precision, launcher = launcher, simulatesHopper = hopper, RefusesWgmma = launcher is not null || hopper ? null : NeedsHopper,
        };
    }

    /// <summary>An NVIDIA GPU.</summary>
    /// <exception cref="InvalidOperationException">There is no such GPU, or its driver does not answer.</exception>
    public static Device Cuda(int index = 0, Precision precision = Precision.Fp32)
    {
        var context = CudaContext();
        var devices = context.GetCudaDevices();
        if (index < 0 || index >= devices.Count)
        {
            context.Dispose();
            throw new InvalidOperationException($"There is no CUDA device {index}: {devices.Count} found; choose another or use the processor.");
        }
        return new Device(DeviceKind.Cuda, context, devices[index].CreateCudaAccelerator(context), 1) { Precision = precision, WorksBesideHost = true, Ranges = NvtxRanges.Find() };
    }

    private static Context CudaContext()
    {
        CudaLibrary.LeadIlgpu();
        return KernelContext.Create(b => b.Cuda());
    }

    /// <summary>Number of NVIDIA GPUs that the driver reports; 0 without a driver.</summary>
    public static int CudaCount()
    {
        try
        {
            using var context = CudaContext();
            return context.GetCudaDevices().Count;
        }
        catch (Exception e) when (e is DllNotFoundException or CudaException or NotSupportedException or TypeInitializationException)
        {
            return 0;
        }
    }

    /// <summary>For whom a GPU's kernels are written; null of other devices.</summary>
    internal PtxTarget? Target => Accelerator is CudaAccelerator cuda ? PtxTarget.Of(cuda) : null;

    /// <summary>What a GPU's results depend on beside this program: chip and driver; null of other devices.</summary>
    internal string? Identity => Accelerator is CudaAccelerator cuda
        ? string.Create(CultureInfo.InvariantCulture, $"{cuda.Name}, {cuda.Architecture}, {cuda.NumMultiprocessors} multiprocessors, {cuda.MemorySize} bytes; {CudaDriver.Version()}") : null;

    /// <summary>The device in a few words, for logs and reports.</summary>
    public string Description => Kind switch
    {
        DeviceKind.Cpu => $"cpu, {Threads} thread{(Threads == 1 ? "" : "s")}, {HostSimd.Description}",
        DeviceKind.Simulation => "cpu, simulated GPU",
        _ => Accelerator.Name + (Precision == Precision.Fp32 ? "" : $", {Precision.ToString().ToLowerInvariant()} products"),
    };

    /// <summary>Allocates a buffer of floats, all zero; on the processor it begins with a cache line.</summary>
    public DeviceBuffer Allocate(long length)
    {
        // What the system gives begins within a line, so that every second vector, or each of a line's size, would cross one.
        var memory = Accelerator.Allocate1D<float>(Math.Max(length, 1) + (Kind == DeviceKind.Cpu ? HostPrefetch.Line : 0));
        var buffer = new DeviceBuffer(this, memory, length);
        if (IsHostMemory)
            HugePages.Advise(buffer.View);
        memory.MemSetToZero();
        // Or another stream might write there before the zeros, which come behind all that kernels were given.
        if (!IsHostMemory)
            Synchronize();
        Interlocked.Increment(ref allocations);
        Interlocked.Add(ref allocatedBytes, buffer.Bytes);
        return buffer;
    }

    /// <summary>Allocates a buffer and fills it from the host.</summary>
    public DeviceBuffer Allocate(ReadOnlySpan<float> values)
    {
        var buffer = Allocate(values.Length);
        if (values.Length > 0)
            Upload(values, buffer.View);
        return buffer;
    }

    /// <summary>Allocates memory of the host that the device copies by itself; contents undefined.</summary>
    public HostBuffer AllocateHost(long length) => new(this, length);

    /// <summary>Opens a stream of copies beside the kernels.</summary>
    public WorkStream OpenStream() => new(this, Accelerator.CreateStream(), own: true);

    /// <param name="timed">Whether it tells the time, <see cref="StreamMark.SecondsSince"/>.</param>
    public StreamMark CreateMark(bool timed = false) => new(this, timed);

    /// <summary>Names what is enqueued until the result is disposed of.</summary>
    public NamedRange Range(string name) => new(Ranges, name);

    internal void Released(long bytes) => Interlocked.Add(ref allocatedBytes, -bytes);

    /// <summary>Copies host values into a view of the same length; a GPU is waited for.</summary>
    public unsafe void Upload(ReadOnlySpan<float> from, ArrayView<float> to)
    {
        if (to.Length < from.Length)
            throw new ArgumentException($"A view of {to.Length} floats cannot take {from.Length}.");
        if (from.Length == 0)
            return;
        WorkObserver?.Happened(new(WorkKind.Synchronisation));
        if (IsHostMemory)
            from.CopyTo(HostMemory.Span(to));
        else
            // ILGPU 1.5.3 takes the address alone: the collector must not move the numbers meanwhile.
            fixed (float* pinned = from)
                to.SubView(0, from.Length).CopyFromCPU(ref *pinned, from.Length);
    }

    /// <summary>Copies a view to the host, after everything launched before it.</summary>
    public unsafe void Download(ArrayView<float> from, Span<float> to)
    {
        if (to.Length < from.Length)
            throw new ArgumentException($"A span of {to.Length} floats cannot take {from.Length}.");
        if (from.Length == 0)
            return;
        Synchronize();
        if (IsHostMemory)
            HostMemory.Span(from).CopyTo(to);
        else
            fixed (float* pinned = to)
                from.CopyToCPU(ref *pinned, from.Length);
    }

    /// <summary>Copies a view to a new array.</summary>
    public float[] Download(ArrayView<float> from)
    {
        var values = new float[from.Length];
        Download(from, values);
        return values;
    }

    /// <summary>Copies between two views of this device, of the same length.</summary>
    public void Copy(ArrayView<float> from, ArrayView<float> to) => Kernels.Copy(from, to);

    /// <summary>Sets a view to zero.</summary>
    public void Clear(ArrayView<float> view)
    {
        if (IsHostMemory)
            HostMemory.Span(view).Clear();
        else if (view.Length > 0)
            view.MemSetToZero(Accelerator.DefaultStream);
    }

    /// <summary>Waits for everything launched.</summary>
    public void Synchronize()
    {
        WorkObserver?.Happened(new(WorkKind.Synchronisation));
        Accelerator.Synchronize();
    }

    /// <summary>Runs a Host task: <paramref name="tiles"/> independent tiles over all worker threads; returns when all are done.</summary>
    public void RunHost<TTask>(int tiles, in TTask task)
        where TTask : struct, IHostTask
    {
        if (hostPool is null)
            throw new InvalidOperationException($"Host variants do not run on {Description}.");
        WorkObserver?.Happened(new(WorkKind.Launch, Kernels));
        hostPool.Run(tiles, task);
    }

    /// <summary>The driver wants its context current, and whatever was launched elsewhere by this thread may have taken it away.</summary>
    private void EncodeByDriver(in TensorBox box, Span<float> map)
    {
        Accelerator.Bind();
        CudaDriver.Encode(box, map);
    }

    private string? TryTensorMaps()
    {
        Accelerator.Bind();
        if (CudaDriver.RefusesTensorMaps() is { } refused)
            return refused;
        var maps = TensorMaps;
        try
        {
            using var tensor = Allocate(TensorBox.BoxChannels);
            maps.Of(new(tensor.View.LoadEffectiveAddressAsPtr(), TensorBox.BoxChannels, 1, 1, 1, 1, 1));
            return null;
        }
        catch (InvalidOperationException e)
        {
            maps.Dispose();
            tensorMaps = null;
            return e.Message;
        }
    }

    internal TLauncher Launcher<TLauncher>(SimtKernel<TLauncher> kernel)
        where TLauncher : Delegate
    {
        WorkObserver?.Happened(new(WorkKind.Launch, Kernels, Kernel: kernel.Name));
        return (TLauncher)launchers.GetOrAdd(kernel, static (k, device) => device.launcher is { } launcher
            ? KernelArgument.Hand<TLauncher>((SimtKernel)k, launcher)
            : device.Load((SimtKernel<TLauncher>)k), this);
    }

    /// <summary>Compiles kernels on all cores of the host before a GPU's first launch of each would, which takes seconds for many a one. It pays where the collector does not stop all of them: with server collection.</summary>
    public void Compile(IEnumerable<SimtKernel> kernels, CancellationToken token = default)
    {
        if (Accelerator is CudaAccelerator cuda)
            OfflinePtx.CompileAll(kernels, PtxTarget.Of(cuda), token);
    }

    private TLauncher Load<TLauncher>(SimtKernel<TLauncher> kernel)
        where TLauncher : Delegate
    {
        TLauncher loaded;
        try
        {
            loaded = kernel.Load(Accelerator);
        }
        catch (InvalidOperationException)
        {
            refusedKernel = Accelerator is CudaAccelerator;
            // The half of it that was made.
            Abandon();
            throw;
        }
        // ILGPU would keep what stood between C# and the simulation: some 25 MB a kernel. What was loaded stays.
        if (Kind == DeviceKind.Simulation)
            context.ClearCache(ClearCacheMode.Everything);
        return loaded;
    }

    /// <summary>Whether a kernel's fault has ended all that this process can do with a GPU: its driver answers each call with that fault from then on. What was made on it is abandoned then.</summary>
    public bool IsLost
    {
        get
        {
            if (Accelerator is not CudaAccelerator)
                return false;
            try
            {
                Accelerator.Bind();
                if (!CudaDriver.HasFaulted())
                    return false;
            }
            catch (CudaException)
            {
                // So it says already here.
            }
            Abandon();
            return true;
        }
    }

    /// <summary>Gives up something of the device's. A lost one takes nothing back, which is no news then: who hears of it hears nothing of the fault. The end of the process frees all.</summary>
    internal void GiveUp(Action release)
    {
        try
        {
            release();
        }
        catch (Exception e) when (e is CudaException or InvalidOperationException && IsLost)
        {
            // The fault itself was told where it was found.
        }
    }

    /// <summary>
    /// Nothing that ILGPU 1.5.3 made here is to be given up by the finalizers any more: where the driver refuses that they end the process, and otherwise leave their thread with this device as its own, at
    /// which they fail when it is gone. Nor is it to be this thread's own: whoever comes after would have it give way first, which a lost one refuses.
    /// </summary>
    private void Abandon()
    {
        ForEachChild<AcceleratorObject>(Accelerator, GC.SuppressFinalize);
        if (Accelerator.Current == Accelerator)
            SetCurrent(null, null);
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "set_Current")]
    private static extern void SetCurrent(Accelerator? type, Accelerator? current);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ForEachChildObject")]
    private static extern void ForEachChild<TObject>(Accelerator accelerator, Action<TObject> action)
        where TObject : AcceleratorObject;

    public void Dispose()
    {
        hostPool?.Dispose();
        // Asked first: there is nobody to ask behind it.
        bool lost = IsLost;
        foreach (var part in new IDisposable?[] { tensorMaps, Accelerator, context })
            try
            {
                part?.Dispose();
            }
            catch (Exception e) when ((lost || refusedKernel) && e is CudaException or InvalidOperationException)
            {
                // As GiveUp. ILGPU 1.5.3 counts a kernel that the driver refused among those that it gives up, which that refuses too.
                Abandon();
            }
    }
}
