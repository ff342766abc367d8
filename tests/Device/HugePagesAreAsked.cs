using System.Globalization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

[TestFixture]
public sealed class HugePagesAreAsked
{
    [Test(Description = "A small buffer may lie where a large one was, so only of large ones can be said what Linux was asked.")]
    public unsafe void Linux_IsAskedForHugePages_UnderALargeBuffer()
    {
        const int floats = 16 << 20;
        if (!OperatingSystem.IsLinux() || !File.Exists("/sys/kernel/mm/transparent_hugepage/enabled"))
            Assert.Ignore("This system does not know huge pages on advice.");
        using var buffer = Devices.Cpu.Allocate(floats);
        ulong middle = (ulong)(HostMemory.Pointer(buffer) + floats / 2);
        bool inside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (line.Split(' ')[0].Split('-') is [var first, var end] && Address(first) is { } from && Address(end) is { } to)
                inside = from <= middle && middle < to;
            else if (inside && line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                Assert.That(line.Split(' '), Does.Contain("hg"));
                return;
            }
        }
        Assert.Fail("The buffer's memory is in no mapping.");
    }

    private static ulong? Address(string text)
        => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address) ? address : null;
}
