using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Asks the system for pages of 2 MiB under the processor's large buffers: kernels walk dozens of streams, far apart in maps and weights of tens of megabytes, and with pages of
/// 4 KiB they wait for translated addresses as well as for data. Linux alone; there it is advice, which the system may leave.
/// </summary>
internal static unsafe partial class HugePages
{
    private const int HugePage = 2 << 20, Page = 4096, AdviseHugePages = 14;

    /// <summary>To be called before the memory is first touched: pages that stand already stay as they are.</summary>
    public static void Advise(ArrayView<float> memory)
    {
        if (!OperatingSystem.IsLinux() || memory.LengthInBytes < 2 * HugePage)
            return;
        // Whole pages of this buffer alone.
        nint start = (nint)HostMemory.Pointer(memory), first = (start + Page - 1) / Page * Page, end = (start + (nint)memory.LengthInBytes) / Page * Page;
        _ = MemoryAdvice(first, end - first, AdviseHugePages);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvice(nint address, nint length, int advice);
}
