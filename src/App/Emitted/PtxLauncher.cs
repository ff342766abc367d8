using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>
/// Runs every launch of a device as the PTX that a GPU would get, by <see cref="PtxExecutor"/>. Each argument is a buffer of its own, so an access past the end of a view is
/// found even where another view lies behind it.
/// </summary>
/// <param name="counted">Whether to count what the launches do.</param>
/// <param name="mostBlocks">Blocks of a launch that run at most, spread evenly; null for all.</param>
/// <param name="ran">Is told before a launch and after each of its blocks the kernel, how many blocks have run, and of how many.</param>
internal sealed unsafe class PtxLauncher(bool counted = false, int? mostBlocks = null, Action<SimtKernel, long, long>? ran = null) : IKernelLauncher, IDisposable
{
    private const int BufferAlignment = 256;

    private readonly OfflinePtx compiler = new();
    private readonly Dictionary<SimtKernel, (string Text, PtxExecutor Executor)> executors = [];

    /// <summary>What the counted launches did, in their order.</summary>
    public List<CountedLaunch> Launches { get; } = [];

    public void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments)
    {
        if (!executors.TryGetValue(kernel, out var found))
        {
            string text = compiler.Compile(kernel);
            executors[kernel] = found = (text, new PtxExecutor(PtxModule.Parse(text).Kernels[0]));
        }
        var memory = new GlobalMemory();
        var names = kernel.Method.GetParameters();
        var declared = found.Executor.Kernel.Parameters;
        if (declared.Count != arguments.Length)
            throw new InvalidOperationException($"{kernel.Name} declares {declared.Count} parameters and gets {arguments.Length}.");
        byte[] parameters = new byte[found.Executor.Kernel.ParameterBytes];
        long argumentBytes = 0;
        for (int i = 0; i < arguments.Length; i++)
        {
            bool maps = names[i].ParameterType == typeof(ArrayView<TensorMapBytes>);
            byte[] bytes = arguments[i].Value ?? (maps ? Maps : (Func<GlobalMemory, string, KernelArgument, byte[]>)View)(memory, names[i].Name!, arguments[i]);
            argumentBytes += maps ? TensorBytes(arguments[i]) : arguments[i].Bytes;
            if (bytes.Length != declared[i].Bytes)
                throw new InvalidOperationException($"{kernel.Name} declares {declared[i].Bytes} bytes for {names[i].Name} and gets {bytes.Length}.");
            bytes.CopyTo(parameters, declared[i].Offset);
        }
        var launch = new PtxLaunch(Size(config.GridDim), Size(config.GroupDim)) { DynamicSharedBytes = config.SharedMemoryConfig.ArraySize, MostBlocks = mostBlocks };
        if (found.Executor.Run(launch, parameters, memory, counted, ran is null ? null : (done, total) => ran(kernel, done, total)) is { } count)
            Launches.Add(new(kernel.Name, found.Text, found.Executor.Kernel, launch, argumentBytes, count));
    }

    /// <summary>A view as ILGPU passes it: its address and its length.</summary>
    private static byte[] View(GlobalMemory memory, string name, KernelArgument view)
    {
        ulong address = view.Pointer == 0 ? 0 : memory.Map(name, (void*)view.Pointer, view.Bytes, (int)(view.BufferOffset % BufferAlignment));
        return [.. BitConverter.GetBytes(address), .. BitConverter.GetBytes(view.Length)];
    }

    /// <summary>Tensor maps as a view, each with the address that its tensor has in this launch.</summary>
    private static byte[] Maps(GlobalMemory memory, string name, KernelArgument view)
    {
        byte[] placed = [.. MapsOf(view).SelectMany(map => (map with { Address = memory.Map($"the tensor of {name}", (void*)map.Address, map.TensorBytes) }).Encode())];
        return [.. BitConverter.GetBytes(memory.Allocate<byte>(name, placed)), .. BitConverter.GetBytes(view.Length)];
    }

    /// <summary>Of the tensors that maps lead to, each once.</summary>
    private static long TensorBytes(KernelArgument view) => MapsOf(view).DistinctBy(map => map.Address).Sum(map => map.TensorBytes);

    private static List<TensorMap> MapsOf(KernelArgument view)
    {
        var bytes = new ReadOnlySpan<byte>((void*)view.Pointer, (int)view.Bytes);
        var maps = new List<TensorMap>();
        for (int at = 0; at < bytes.Length; at += TensorMap.Bytes)
            maps.Add(TensorMap.Decode(bytes[at..])!);
        return maps;
    }

    /// <inheritdoc/>
    public void Encode(in TensorBox box, Span<float> map)
    {
        long column = (long)TensorBox.NumberBytes * box.Channels, row = column * box.Columns;
        new TensorMap
        {
            Address = (ulong)box.Address, ElementBytes = TensorBox.NumberBytes, Sizes = [box.Channels, box.Columns, box.Rows, box.Maps], Strides = [column, row, row * box.Rows],
            Box = [TensorBox.BoxChannels, box.BoxColumns, box.BoxRows, 1], ElementStrides = [1, 1, 1, 1], Swizzle = 128,
        }.Encode().CopyTo(MemoryMarshal.AsBytes(map));
    }

    private static (int X, int Y, int Z) Size(Index3D index) => (index.X, index.Y, index.Z);

    public void Dispose() => compiler.Dispose();
}

/// <summary>One launch and what it did.</summary>
/// <param name="Text">The kernel's PTX.</param>
/// <param name="ArgumentBytes">Of all views that it gets, and of the tensors to which its maps lead.</param>
internal sealed record CountedLaunch(string Name, string Text, PtxFunction Kernel, PtxLaunch Launch, long ArgumentBytes, LaunchCount Count);
