using System.Diagnostics;
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

        public static void Spin(int microseconds)
        {
            long begin = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begin).TotalMicroseconds < microseconds)
                Thread.SpinWait(5);
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
    public void ATaskEnds_WhenTheSlowestTileHasRun()
    {
        using var device = Device.Cpu(3);
        int slow = 0;
        // On a machine that has other work the others may come too late for many tasks in a row.
        for (int task = 0; task < 20 || slow == 0 && task < 2000; task++)
        {
            var by = new int[8];
            device.RunHost(by.Length, new Slow(by));
            Assert.That(by, Has.All.Positive, $"task {task}");
            slow += by.Count(worker => worker > 1);
        }
        Assert.That(slow, Is.Positive, "others than the caller ran some");
    }

    /// <summary>Worker 0 takes 0.2 ms a tile, the others 3 ms: they are the last to be ready.</summary>
    private readonly struct Slow(int[] by) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            Counting.Spin(worker == 0 ? 200 : 3000);
            Volatile.Write(ref by[tile], worker + 1);
        }
    }

    /// <summary>A thread that slept is woken for a task that is over before it comes; it must neither join that one nor disturb the next.</summary>
    [Test]
    public void AThreadThatComesTooLate_JoinsNothing()
    {
        using var device = Device.Cpu(2);
        var random = new Random(5);
        for (int round = 0; round < 500; round++)
        {
            Thread.Sleep(1);
            int[] first = new int[2], second = new int[2];
            device.RunHost(2, new Counting(first, new int[2], 0));
            Counting.Spin(random.Next(60));
            device.RunHost(2, new Lasting(second));
            Assert.That(first, Has.All.EqualTo(1), $"round {round}");
            Assert.That(second, Has.All.EqualTo(1), $"round {round}");
        }
    }

    private readonly struct Lasting(int[] runs) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            Counting.Spin(100);
            Interlocked.Increment(ref runs[tile]);
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
