using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>A pool that has all cores leaves the caller the one it stands on.</summary>
[TestFixture, Platform("Linux")]
public sealed partial class HostCoresOfThreads
{
    private static readonly int[] Allowed = AllowedCores("/proc/self/status");

    [Test]
    public void WhereverTheCallerStands_EachHelperHasAnotherCore()
    {
        if (Allowed.Length == 1)
            Assert.Ignore("One core: there are no helpers.");
        var cores = HostCores.Of(Allowed.Length - 1)!;
        using var settled = new CountdownEvent(Allowed.Length - 1);
        using var end = new ManualResetEventSlim();
        var helpers = new int[Allowed.Length - 1];
        int[] started = [];
        var threads = Enumerable.Range(0, helpers.Length).Select(i => new Thread(() =>
        {
            cores.Settle(i);
            helpers[i] = CurrentThread();
            if (i == 0)
            {
                var child = new Thread(() => started = AllowedCores($"/proc/self/task/{CurrentThread()}/status"));
                child.Start();
                child.Join();
            }
            settled.Signal();
            end.Wait();
        })).ToArray();
        Array.ForEach(threads, t => t.Start());
        settled.Wait();
        var found = new List<(int Mine, int[] Others)>();
        var caller = new Thread(() =>
        {
            foreach (int core in (IEnumerable<int>)[.. Allowed, .. Allowed.Reverse()])
            {
                StandOn(core);
                cores.LeaveMine();
                found.Add((core, [.. helpers.SelectMany(h => AllowedCores($"/proc/self/task/{h}/status"))]));
            }
        });
        caller.Start();
        caller.Join();
        end.Set();
        Array.ForEach(threads, t => t.Join());
        Assert.That(found, Has.Count.EqualTo(2 * Allowed.Length));
        foreach (var (mine, others) in found)
            Assert.That(others.Append(mine), Is.EquivalentTo(Allowed), $"the caller on core {mine}");
        Assert.That(started, Is.EqualTo(Allowed), "a thread that a helper starts may run anywhere");
    }

    [Test]
    public void APoolOfMoreOrFewerThreadsThanCores_StaysWhereTheSystemPutsIt()
    {
        Assert.That(HostCores.Of(0), Is.Null);
        Assert.That(HostCores.Of(Allowed.Length), Is.Null);
        if (Allowed.Length > 2)
            Assert.That(HostCores.Of(Allowed.Length - 2), Is.Null);
    }

    private static void StandOn(int core)
    {
        var mask = new ulong[16];
        mask[core / 64] = 1UL << core % 64;
        Assert.That(SetAffinity(0, 8 * mask.Length, mask), Is.Zero);
    }

    /// <summary>As Linux tells them: <c>0-3,8</c>.</summary>
    private static int[] AllowedCores(string status)
        => OperatingSystem.IsLinux()
            ? [.. File.ReadLines(status).First(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Split(',').SelectMany(part =>
            {
                int[] ends = [.. part.Split('-').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
                return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
            })]
            : [];

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, [In] ulong[] mask);
}
