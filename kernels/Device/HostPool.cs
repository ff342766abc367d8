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
/// Runs Host tasks on ILGPU's CPU accelerator, one group of one thread a core. ILGPU calls a kernel's own IL there, compiled by the JIT; a
/// method marked as intrinsic is not translated by ILGPU's frontend, so its body may be any .NET code. One kernel
/// serves all tasks: its intrinsic takes tiles off a shared counter until none is left.
/// </summary>
internal sealed class HostPool
{
    private static readonly List<WeakReference<HostPool>> Pools = [];

    private readonly Action<KernelConfig, int> launch;
    private readonly Accelerator accelerator;
    private readonly int threads;
    private readonly int slot;
    private readonly Lock gate = new();
    private HostJob? job;
    private int next, tiles;
    private Exception? failure;

    public HostPool(Accelerator accelerator, int threads)
    {
        this.accelerator = accelerator;
        this.threads = threads;
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
            var mine = HostJob<TTask>.Shared ??= new();
            mine.Task = task;
            if (count == 1 || threads == 1)
            {
                // A single tile costs less than waking the accelerator's threads.
                for (int tile = 0; tile < count; tile++)
                    task.Run(tile, 0);
                return;
            }
            job = mine;
            tiles = count;
            next = 0;
            failure = null;
            launch(new KernelConfig(Math.Min(threads, count), 1), slot);
            accelerator.Synchronize();
            job = null;
            if (failure is { } e)
                throw new InvalidOperationException($"A host kernel failed: {e.Message}", e);
        }
    }

    private static void WorkerKernel(int slot) => Work(slot);

    [IntrinsicImplementation]
    private static void Work(int slot)
    {
        int worker = Grid.IdxX;
        Pools[slot].TryGetTarget(out var pool);
        try
        {
            var job = pool!.job!;
            int tile;
            while ((tile = Interlocked.Increment(ref pool.next) - 1) < pool.tiles)
                job.Run(tile, worker);
        }
        catch (Exception e)
        {
            // An exception that left an accelerator thread would end the process; the launching thread reports it.
            pool!.failure = e;
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
