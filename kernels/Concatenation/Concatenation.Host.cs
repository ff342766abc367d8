using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Concatenation
{
    private const int HostPixels = 256;

    private static void ForwardHost(Device device, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Pixels + HostPixels - 1) / HostPixels, new HostTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), join: true));

    private static void BackwardHost(Device device, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Pixels + HostPixels - 1) / HostPixels, new HostTask(s, HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[0]), join: false));

    private readonly struct HostTask(ConcatenationShape s, float* a, float* b, float* y, bool join) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            for (long pixel = (long)tile * HostPixels; pixel < Math.Min((tile + 1L) * HostPixels, s.Pixels); pixel++)
            {
                Span<float> first = new(a + pixel * s.C1, s.C1), second = new(b + pixel * s.C2, s.C2), whole = new(y + pixel * (s.C1 + s.C2), s.C1 + s.C2);
                if (join)
                {
                    first.CopyTo(whole);
                    second.CopyTo(whole[s.C1..]);
                }
                else
                {
                    whole[..s.C1].CopyTo(first);
                    whole[s.C1..].CopyTo(second);
                }
            }
        }
    }
}
