using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>What whole networks need to be compared with golden files.</summary>
internal static class GoldenNetwork
{
    /// <summary>Every kind of variant on every device that there is, the whole network on that kind.</summary>
    public static IEnumerable<GoldenCase> EachKind(string name, Action<Device> check)
        => GoldenCase.EachKind(name, (kind, device) => check(kind == VariantKind.Reference ? Devices.Reference : device));

    /// <summary>Without the simulation, in which a large network would take an hour.</summary>
    public static IEnumerable<GoldenCase> EachFastKind(string name, Action<Device> check)
        => EachKind(name, check).Where(c => !c.Name.EndsWith(nameof(DeviceKind.Simulation), StringComparison.Ordinal));

    /// <summary>The last maps of so many images, [B,N,D].</summary>
    public static float[] Features(NetworkPlan plan, Device device, int images) => device.Download(plan.Features(images));

    /// <summary>noise(seed, shape) of the golden files: a hash of the position, exact in fp32, in [−1, 1).</summary>
    public static float[] Noise(ulong seed, int length)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            ulong z = seed + ((ulong)i + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            values[i] = (float)((z >> 40) / 8388608.0 - 1);
        }
        return values;
    }

    /// <summary>[B,C,H,W] as [B,H,W,C].</summary>
    public static float[] ToNhwc(float[] values, int b, int c, int h, int w)
    {
        var result = new float[values.Length];
        int from = 0;
        for (int i = 0; i < b; i++)
            for (int j = 0; j < c; j++)
                for (int p = 0; p < h * w; p++)
                    result[(i * h * w + p) * c + j] = values[from++];
        return result;
    }
}
