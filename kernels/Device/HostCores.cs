using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Keeps each thread of a pool on a core of its own, and off the caller's. Linux may wake a thread on the core of whoever woke it while the next one idles, above all as a virtual machine's
/// guest, and then leaves both there for a slice of some milliseconds: for a small network that is one core instead of two. The caller is nobody's to bind: whichever core it
/// stands on stays free, and the thread that had it gets the one that was free before. Only where a pool has as many threads as the process has cores; else, and on other systems, nothing happens.
/// </summary>
internal sealed partial class HostCores
{
    /// <summary>Cores that a mask of the system's has a bit for.</summary>
    private const int MaskBits = 1024;

    private readonly Lock gate = new();
    private readonly int[] cores, threads;
    private int free;

    private HostCores(List<int> allowed)
    {
        free = allowed[0];
        cores = [.. allowed.Skip(1)];
        threads = new int[cores.Length];
    }

    /// <param name="helpers">Threads of the pool beside the caller's.</param>
    /// <returns>null where threads stay where the system puts them.</returns>
    public static HostCores? Of(int helpers)
    {
        if (helpers == 0 || !OperatingSystem.IsLinux())
            return null;
        try
        {
            var mask = new ulong[MaskBits / 64];
            if (Affinity(0, MaskBits / 8, mask) < 0)
                return null;
            List<int> allowed = [.. Enumerable.Range(0, MaskBits).Where(core => (mask[core / 64] >> core % 64 & 1) != 0)];
            return allowed.Count == helpers + 1 && CurrentCore() >= 0 ? new(allowed) : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without these calls.
            return null;
        }
    }

    /// <summary>The thread that calls it is the pool's helper of this index from now on.</summary>
    public void Settle(int helper)
    {
        lock (gate)
        {
            threads[helper] = CurrentThread();
            Bind(helper);
        }
    }

    /// <summary>Lets whoever calls have its core for itself; before it wakes the helpers.</summary>
    public void LeaveMine()
    {
        int mine = CurrentCore();
        if (mine == Volatile.Read(ref free))
            return;
        lock (gate)
        {
            int helper = Array.IndexOf(cores, mine);
            // Negative where somebody bound the caller to a core that the process did not have.
            if (helper < 0)
                return;
            (cores[helper], free) = (free, mine);
            if (threads[helper] != 0)
                Bind(helper);
        }
    }

    private void Bind(int helper)
    {
        var mask = new ulong[MaskBits / 64];
        mask[cores[helper] / 64] = 1UL << cores[helper] % 64;
        // Where the system refuses, the thread stays where it is: slower at worst.
        _ = SetAffinity(threads[helper], MaskBits / 8, mask);
    }

    [LibraryImport("libc", EntryPoint = "sched_getcpu"), SuppressGCTransition]
    private static partial int CurrentCore();

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int Affinity(int thread, nint bytes, [Out] ulong[] mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, [In] ulong[] mask);
}
