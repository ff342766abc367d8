using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Ranges of NVTX, which Nsight Systems and Nsight Compute show. The library belongs to CUDA's toolkit and is not always there: <c>libnvtx3interop</c> from 12.9 on, <c>libnvToolsExt</c>
/// before. Without a profiler its calls do nothing.
/// </summary>
internal sealed unsafe class NvtxRanges : IRangeSink
{
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["nvtx3interop.dll", "nvToolsExt64_1.dll"] : ["libnvtx3interop.so.1", "libnvToolsExt.so.1"];

    private readonly delegate* unmanaged<byte*, int> push;
    private readonly delegate* unmanaged<int> pop;

    /// <summary>Names as the library takes them; few, and never given up.</summary>
    private readonly ConcurrentDictionary<string, nint> texts = new();

    private NvtxRanges(nint library)
    {
        push = (delegate* unmanaged<byte*, int>)NativeLibrary.GetExport(library, "nvtxRangePushA");
        pop = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvtxRangePop");
    }

    /// <summary>Where the loader finds the library, or in a toolkit's folder: <c>CUDA_PATH</c>, <c>CUDA_HOME</c>, <c>/usr/local/cuda</c>. Null where it is not.</summary>
    public static NvtxRanges? Find()
    {
        string?[] toolkits = [Environment.GetEnvironmentVariable("CUDA_PATH"), Environment.GetEnvironmentVariable("CUDA_HOME"), "/usr/local/cuda"];
        string[] folders = ["", .. toolkits.Where(t => !string.IsNullOrEmpty(t)).SelectMany(t => new[] { "lib64", "targets/x86_64-linux/lib", "bin" }.Select(f => Path.Combine(t!, f)))];
        foreach (string folder in folders)
            foreach (string name in Names)
                if (Open(Path.Combine(folder, name)) is { } found)
                    return found;
        return null;
    }

    /// <summary>One library; null where it is not, or is another.</summary>
    public static NvtxRanges? Open(string path)
    {
        if (!NativeLibrary.TryLoad(path, out nint library))
            return null;
        if (NativeLibrary.TryGetExport(library, "nvtxRangePushA", out _) && NativeLibrary.TryGetExport(library, "nvtxRangePop", out _))
            return new(library);
        NativeLibrary.Free(library);
        return null;
    }

    public void Push(string name) => push((byte*)texts.GetOrAdd(name, static n => Marshal.StringToCoTaskMemUTF8(n)));

    public void Pop() => pop();
}
