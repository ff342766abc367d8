using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

[TestFixture]
public sealed class HostSequences
{
    /// <summary>Tasks of very different lengths: each tile runs once, and none before the tasks are over that its own comes after.</summary>
    [Test]
    public void TilesRunOnce_AndNoneTooEarly([Values(1, 2, 4)] int threads)
    {
        using var device = Device.Cpu(threads);
        for (int round = 0; round < 50; round++)
        {
            var random = new Random(round);
            var sequence = new HostSequence();
            int count = random.Next(1, 30);
            var log = new Log(count);
            for (int i = 0; i < count; i++)
            {
                log.Tiles[i] = random.Next(1, 40);
                log.After[i] = random.Next(Math.Max(0, i - 3), i + 1);
            }
            for (int i = 0; i < count; i++)
                sequence.Add(log.Tiles[i], new Counted(log, i), log.After[i]);
            sequence.Run(device);
            Assert.That(log.Over, Is.EqualTo(log.Tiles));
            Assert.That(log.TooEarly, Is.Zero);
        }
    }

    [Test]
    public void AFailure_IsToldAndEndsTheWait([Values(1, 2, 4)] int threads)
    {
        using var device = Device.Cpu(threads);
        var sequence = new HostSequence();
        var log = new Log(2) { Tiles = { [0] = 3, [1] = 5 }, After = { [1] = 1 }, Fails = true };
        sequence.Add(3, new Counted(log, 0), 0);
        sequence.Add(5, new Counted(log, 1), 1);
        Assert.That(() => sequence.Run(device), Throws.InvalidOperationException.With.Message.Contains("on purpose"));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Add(1, new Counted(log, 0), 3), "after a task that is not there");
    }

    private sealed class Log(int count)
    {
        public int[] Tiles { get; } = new int[count];

        public int[] After { get; } = new int[count];

        public int[] Over { get; } = new int[count];

        public bool Fails { get; init; }

        public int TooEarly;
    }

    private readonly struct Counted(Log log, int index) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            for (int before = 0; before < log.After[index]; before++)
                if (!log.Fails && Volatile.Read(ref log.Over[before]) != log.Tiles[before])
                    Interlocked.Increment(ref log.TooEarly);
            if (log.Fails && index == 0)
                throw new InvalidOperationException("on purpose");
            Thread.SpinWait(20 * (tile % 7));
            Interlocked.Increment(ref log.Over[index]);
        }
    }
}
