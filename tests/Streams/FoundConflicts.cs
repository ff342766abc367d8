using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>What the log of work must find: copies that nothing keeps apart.</summary>
[TestFixture]
public sealed class FoundConflicts
{
    private const int Length = 64;

    private WorkLog log = null!;
    private Device device = null!;
    private HostBuffer host = null!;
    private DeviceBuffer memory = null!;
    private WorkStream aside = null!;
    private StreamMark mark = null!;

    [SetUp]
    public void Open()
    {
        log = new();
        device = Device.Cpu(1, worksBesideHost: true);
        device.WorkObserver = log;
        host = device.AllocateHost(Length);
        memory = device.Allocate(Length);
        aside = device.OpenStream();
        mark = device.CreateMark();
    }

    [TearDown]
    public void Close()
    {
        mark.Dispose();
        aside.Dispose();
        memory.Dispose();
        host.Dispose();
        device.Dispose();
    }

    [Test]
    public void WhatTheHostReads_BeforeItsCopyIsWaitedFor([Values] bool waits)
    {
        device.Kernels.Download(memory, host);
        device.Kernels.Set(mark);
        if (waits)
            mark.Wait();
        _ = host.Span[0];
        Assert.That(log.Conflicts, waits ? Is.Empty : Has.Count.EqualTo(1));
    }

    [Test]
    public void WhatTheHostWrites_WhileItsCopyIsOnItsWay([Values] bool synchronises)
    {
        host.Span.Fill(1);
        aside.Upload(host, Length, memory);
        if (synchronises)
            device.Synchronize();
        host.Span.Fill(2);
        Assert.That(log.Conflicts, synchronises ? Is.Empty : Has.Count.EqualTo(1));
    }

    [Test]
    public void WhatTwoStreamsTouch_WithNoMarkBetween([Values("none", "before", "set", "waited")] string order)
    {
        using var other = device.Allocate(Length);
        if (order == "before")
            aside.Set(mark);
        aside.Upload(host, Length, memory);
        if (order != "before")
            aside.Set(mark);
        if (order is "before" or "waited")
            device.Kernels.WaitFor(mark);
        device.Copy(memory, other);
        Assert.That(log.Conflicts, order == "waited" ? Is.Empty : Has.Count.EqualTo(1));
    }
}
