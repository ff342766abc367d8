using System.Numerics;
using System.Runtime.InteropServices;
using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Looks for NaN and infinity in a device's memory, at the speed of that memory on the processor; from a GPU it copies.</summary>
internal sealed class FiniteCheck(Device device)
{
    private const int Portion = 1 << 18;

    private float[]? copy;

    /// <summary>Whether every number is finite.</summary>
    /// <param name="bf16">Whether each float holds two numbers of bf16.</param>
    public bool Holds(ArrayView<float> values, bool bf16 = false)
    {
        if (values.Length == 0)
            return true;
        device.Synchronize();
        for (long first = 0; first < values.Length; first += Portion)
        {
            var portion = values.SubView(first, Math.Min(Portion, values.Length - first));
            if (device.IsHostMemory)
            {
                if (!Holds(HostMemory.Span(portion), bf16))
                    return false;
                continue;
            }
            copy ??= new float[Portion];
            device.Download(portion, copy);
            if (!Holds(copy.AsSpan(0, (int)portion.Length), bf16))
                return false;
        }
        return true;
    }

    private static bool Holds(ReadOnlySpan<float> values, bool bf16)
    {
        if (bf16)
            return HoldsPairs(MemoryMarshal.Cast<float, ushort>(values));
        // 0·x is 0 for every finite x and NaN for the others, and a sum never loses a NaN.
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<float> a = default, b = default;
        int i = 0;
        for (; i + 2 <= vectors.Length; i += 2)
        {
            a += vectors[i] * Vector<float>.Zero;
            b += vectors[i + 1] * Vector<float>.Zero;
        }
        float sum = Vector.Sum(a + b);
        foreach (float x in values[(i * Vector<float>.Count)..])
            sum += x * 0;
        return !float.IsNaN(sum);
    }

    /// <summary>An exponent of ones is infinity or NaN.</summary>
    private static bool HoldsPairs(ReadOnlySpan<ushort> values)
    {
        foreach (ushort x in values)
            if ((x & 0x7F80) == 0x7F80)
                return false;
        return true;
    }
}
