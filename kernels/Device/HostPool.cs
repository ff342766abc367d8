using System.Diagnostics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Work of a Host variant, cut into tiles. A tile writes only what no other tile writes and does its sums in its own fixed order:
/// then the result depends neither on the number of threads nor on which of them took which tile.
/// </summary>
public interface IHostTask
{
    /// <param name="tile">0 … tiles − 1.</param>
    /// <param name="worker">0 … <see cref="Device.Threads"/> − 1; two tiles that run at the same time have different workers. For scratch memory.</param>
    void Run(int tile, int worker);
}

/// <summary>
/// Runs Host tasks on the calling thread and on those of ILGPU's CPU accelerator, one a core. ILGPU calls a kernel's own IL there, compiled by the JIT; a
/// method marked as intrinsic is not translated by ILGPU's frontend, so its body may be any .NET code. One kernel serves all tasks, and it is launched once: it stays on
/// the accelerator's threads and waits there for the next task, since launching it for each would cost some 30 µs, a tenth of a small convolution. A task is over when its tiles are: a thread
/// that wakes too late finds it closed, and nobody waits for that thread.
/// </summary>
internal sealed class HostPool : IDisposable
{
    /// <summary>Set while threads may still join the task; below it their number.</summary>
    private const int Open = 1 << 30;

    /// <summary>How long a thread looks for the next task before it sleeps: longer than the way from one layer to the next, shorter than anybody would notice.</summary>
    private static readonly long Patience = Stopwatch.Frequency / 20_000;

    private static readonly List<WeakReference<HostPool>> Pools = [];

    private readonly Action<KernelConfig, int> launch;
    private readonly Accelerator accelerator;
    private readonly Helper[] helpers;
    private readonly HostCores? cores;
    private readonly int slot;
    private readonly Lock gate = new();
    private Thread? resident;
    private HostJob? job;
    private int next, tiles, turn, joined, left;
    private bool stopping;
    private Exception? failure;

    public HostPool(Accelerator accelerator, int threads)
    {
        this.accelerator = accelerator;
        helpers = [.. Enumerable.Range(1, threads - 1).Select(_ => new Helper())];
        cores = HostCores.Of(threads - 1);
        launch = accelerator.LoadStreamKernel<int>(WorkerKernel);
        lock (Pools)
        {
            slot = Pools.FindIndex(p => !p.TryGetTarget(out _));
            if (slot < 0)
            {
                slot = Pools.Count;
                Pools.Add(new(this));
            }
            else
                Pools[slot] = new(this);
        }
    }

    public void Run<TTask>(int count, in TTask task)
        where TTask : struct, IHostTask
    {
        if (count <= 0)
            return;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            if (count == 1 || helpers.Length == 0)
            {
                for (int tile = 0; tile < count; tile++)
                    task.Run(tile, 0);
                return;
            }
            var mine = HostJob<TTask>.Shared ??= new();
            mine.Task = task;
            job = mine;
            tiles = count;
            next = left = 0;
            failure = null;
            Volatile.Write(ref joined, Open);
            Call(count - 1);
            Work(0);
            int others = Interlocked.Exchange(ref joined, 0) - Open;
            var wait = new SpinWait();
            while (Volatile.Read(ref left) < others)
                wait.SpinOnce(sleep1Threshold: -1);
            job = null;
            if (failure is { } e)
                throw new InvalidOperationException($"A host kernel failed: {e.Message}", e);
        }
    }

    /// <summary>Ends the resident kernel: an accelerator is not disposed while one runs.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (stopping)
                return;
            Volatile.Write(ref stopping, true);
            if (resident is null)
                return;
            Call(helpers.Length);
            resident.Join();
        }
    }

    /// <summary>Tells the threads of a new turn, and wakes those that sleep and are wanted.</summary>
    private void Call(int wanted)
    {
        cores?.LeaveMine();
        Interlocked.Increment(ref turn);
        if (resident is null)
        {
            resident = new(() =>
            {
                launch(new KernelConfig(helpers.Length, 1), slot);
                accelerator.Synchronize();
            }) { IsBackground = true, Name = "Host kernel" };
            resident.Start();
            return;
        }
        foreach (var helper in helpers.AsSpan(0, Math.Min(wanted, helpers.Length)))
            helper.Wake();
    }

    private static void WorkerKernel(int slot) => Stay(slot);

    [IntrinsicImplementation, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stay(int slot)
    {
        int index = Grid.IdxX;
        Pools[slot].TryGetTarget(out var pool);
        pool!.cores?.Settle(index);
        for (int seen = 0; !Volatile.Read(ref pool.stopping);)
        {
            pool.helpers[index].Await(ref pool.turn, seen);
            seen = Volatile.Read(ref pool.turn);
            if (!pool.Join())
                continue;
            pool.Work(index + 1);
            Interlocked.Increment(ref pool.left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Join()
    {
        for (int now = Volatile.Read(ref joined); now >= Open;)
        {
            int before = Interlocked.CompareExchange(ref joined, now + 1, now);
            if (before == now)
                return true;
            now = before;
        }
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Work(int worker)
    {
        try
        {
            var job = this.job!;
            int tile;
            while ((tile = Interlocked.Increment(ref next) - 1) < tiles)
                job.Run(tile, worker);
        }
        catch (Exception e)
        {
            // An exception that left an accelerator thread would end the process; the launching thread reports it.
            failure = e;
        }
    }

    /// <summary>Where a thread waits for the next turn.</summary>
    private sealed class Helper
    {
        private readonly SemaphoreSlim wake = new(0);
        private int sleeping;

        /// <summary>Returns when the turn is another than the one that was seen.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Await(ref int turn, int seen)
        {
            for (long until = Stopwatch.GetTimestamp() + Patience; Stopwatch.GetTimestamp() < until; Thread.SpinWait(10))
                if (Volatile.Read(ref turn) != seen)
                    return;
            Interlocked.Exchange(ref sleeping, 1);
            // Between the last look and the word that it sleeps a turn may have come; then either nobody woke it, or the waking is on its way.
            if (Volatile.Read(ref turn) == seen || Interlocked.Exchange(ref sleeping, 0) == 0)
                wake.Wait();
        }

        public void Wake()
        {
            if (Interlocked.Exchange(ref sleeping, 0) == 1)
                wake.Release();
        }
    }

    private abstract class HostJob
    {
        public abstract void Run(int tile, int worker);
    }

    private sealed class HostJob<TTask> : HostJob
        where TTask : struct, IHostTask
    {
        [ThreadStatic]
        public static HostJob<TTask>? Shared;

        public TTask Task;

        public override void Run(int tile, int worker) => Task.Run(tile, worker);
    }
}
