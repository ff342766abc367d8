using System.Globalization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

[TestFixture]
public sealed class HugePagesAreAsked
{
    [TestCase(16 << 20, ExpectedResult = true, TestName = "Linux was asked for huge pages under a buffer of 64 MB")]
    [TestCase(64 << 10, ExpectedResult = false, TestName = "Linux was not asked for huge pages under a buffer of 256 KB")]
    public unsafe bool Asked(int floats)
    {
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
                return line.Split(' ').Contains("hg");
        }
        throw new InvalidOperationException("The buffer's memory is in no mapping.");
    }

    private static ulong? Address(string text)
        => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address) ? address : null;
}
