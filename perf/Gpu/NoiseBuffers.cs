using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// The buffers of one problem, full of noise, for all variants that are timed on it. A piece comes from the host and is doubled on the device: 48 large maps are 4 GB, which would take longer on the
/// way than all that is timed.
/// </summary>
internal sealed class NoiseBuffers : IDisposable
{
    private const int PieceLength = 1 << 16;

    private readonly List<DeviceBuffer> buffers = [];

    public NoiseBuffers(Device device, Operation operation, object problem)
    {
        var random = new Random(1);
        float[] numbers = [.. Enumerable.Range(0, PieceLength).Select(_ => random.NextSingle() * 2 - 1)], rows = new float[Bf16Rows.Floats(numbers.Length / 8, 8)];
        Bf16Rows.Pack(numbers, 8, rows);
        try
        {
            foreach (var spec in operation.BuffersOf(problem))
            {
                buffers.Add(device.Allocate(spec.Length));
                Fill(device, buffers[^1].View, spec.Bf16Row > 0 ? rows : numbers);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ArrayView<float>[] Views => [.. buffers.Select(b => b.View)];

    /// <summary>The piece again and again.</summary>
    internal static void Fill(Device device, ArrayView<float> view, ReadOnlySpan<float> piece)
    {
        long filled = Math.Min(piece.Length, view.Length);
        device.Upload(piece[..(int)filled], view);
        while (filled < view.Length)
        {
            long more = Math.Min(filled, view.Length - filled);
            device.Copy(view.SubView(0, more), view.SubView(filled, more));
            filled += more;
        }
    }

    public void Dispose() => buffers.ForEach(b => b.Dispose());
}
