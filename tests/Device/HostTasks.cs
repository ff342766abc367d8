using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Host tasks: each tile runs once, by one worker at a time, whether the threads are awake, asleep or on their way.</summary>
[TestFixture]
public sealed class HostTasks
{
    private readonly struct Counting(int[] runs, int[] busy, int pause) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            if (Interlocked.Increment(ref busy[worker]) != 1)
                throw new InvalidOperationException($"worker {worker} is two at once");
            Interlocked.Increment(ref runs[tile]);
            Thread.SpinWait(pause);
            Interlocked.Decrement(ref busy[worker]);
        }
    }

    private readonly struct Failing(int tile) : IHostTask
    {
        public void Run(int tile1, int worker)
        {
            if (tile1 == tile)
                throw new ArithmeticException("too much");
        }
    }

    [TestCase(2)]
    [TestCase(5)]
    public void EveryTileRunsOnce(int threads)
    {
        using var device = Device.Cpu(threads);
        var busy = new int[threads];
        var random = new Random(3);
        for (int task = 0; task < 3000; task++)
        {
            var runs = new int[random.Next(0, 12)];
            // Now and then long enough for the threads to fall asleep before.
            if (task % 500 == 0)
                Thread.Sleep(5);
            device.RunHost(runs.Length, new Counting(runs, busy, random.Next(200)));
            Assert.That(runs, Has.All.EqualTo(1), $"task {task}");
            Assert.That(busy, Has.All.Zero, "everyone has left");
        }
    }

    [Test]
    public void TheOthersHelp()
    {
        using var device = Device.Cpu(2);
        var workers = new int[2];
        for (int task = 0; task < 50 && workers[1] == 0; task++)
            device.RunHost(64, new Noting(workers));
        Assert.That(workers, Has.All.Positive);
    }

    private readonly struct Noting(int[] workers) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            Interlocked.Increment(ref workers[worker]);
            Thread.Sleep(1);
        }
    }

    [Test]
    public void AFailure_IsToldOnce_AndTheNextTaskRuns()
    {
        using var device = Device.Cpu(3);
        for (int tile = 0; tile < 8; tile++)
        {
            Assert.That(() => device.RunHost(8, new Failing(tile)), Throws.InvalidOperationException.With.Message.Contains("too much"));
            var runs = new int[8];
            device.RunHost(8, new Counting(runs, new int[3], 0));
            Assert.That(runs, Has.All.EqualTo(1));
        }
    }

    [Test]
    public void ADisposedDevice_EndsItsThreads_AndTakesNothing()
    {
        var device = Device.Cpu(4);
        device.RunHost(8, new Counting(new int[8], new int[4], 0));
        device.Dispose();
        device.Dispose();
        Assert.That(() => device.RunHost(8, new Counting(new int[8], new int[4], 0)), Throws.InstanceOf<ObjectDisposedException>());
        Device.Cpu(4).Dispose();
    }
}
