using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Descriptors as <see cref="PackedTile{T}"/> takes them, and their squared norms behind them: panels of <paramref name="width"/> rows, cut into pieces of 256 numbers,
/// <code>
/// [group of panels][piece][panel][number of the piece][row of the panel]
/// </code>
/// so that a group's panels of one piece stand behind each other: where each panel's pieces did, the panels of a block would meet in few sets of the cache. Rows beyond the last are 0.
/// </summary>
/// <param name="values"><see cref="LengthOf"/> numbers.</param>
/// <param name="together">Panels of a group.</param>
internal readonly unsafe struct PackedDescriptors(float* values, int rows, int length, int width, int together)
{
    /// <summary>Numbers of a descriptor in one piece.</summary>
    public const int Piece = 256;

    /// <summary>Floats of so many packed descriptors of <paramref name="length"/> numbers, norms included; whole cache lines.</summary>
    public static long LengthOf(int rows, int length, int width) => (((long)rows + width - 1) / width * width * (length + 1L) + HostPrefetch.Line - 1) / HostPrefetch.Line * HostPrefetch.Line;

    public int Panels => (int)(((long)rows + width - 1) / width);

    /// <summary>Rows that a panel holds: fewer than its width only the last.</summary>
    public int RowsOf(int panel) => Math.Min(width, rows - panel * width);

    /// <summary>A panel's part of the piece that begins at number <paramref name="start"/>: [number][row].</summary>
    public float* Part(int panel, int start)
    {
        int group = panel / together * together, panels = Math.Min(together, Panels - group), depth = Math.Min(Piece, length - start);
        return values + (long)group * width * length + (long)start * panels * width + (long)(panel - group) * width * depth;
    }

    /// <summary>The squared norms of a panel's rows.</summary>
    public float* Norms(int panel) => values + (long)Panels * width * length + (long)panel * width;

    /// <param name="from">[rows][length]</param>
    public void Pack(Device device, float* from) => device.RunHost(Panels, new PackTask(this, from));

    /// <summary>One panel, and its norms by the very sums that a tile does for a dot product: the distance of equal rows is exactly 0.</summary>
    private readonly struct PackTask(PackedDescriptors descriptors, float* from) : IHostTask
    {
        public void Run(int tile, int worker) => descriptors.Pack(tile, from);
    }

    /// <summary>One panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(int panel, float* from)
    {
        float* norm = Norms(panel);
        new Span<float>(norm, width).Clear();
        float* sums = stackalloc float[width];
        for (int start = 0; start < length; start += Piece)
        {
            int depth = Math.Min(Piece, length - start);
            float* part = Part(panel, start);
            PackedPanel.FromRows(from + (long)panel * width * length + start, length, RowsOf(panel), part, width, depth);
            new Span<float>(sums, width).Clear();
            for (int k = 0; k < depth; k++, part += width)
                Square(part, width, sums);
            for (int i = 0; i < width; i++)
                norm[i] += sums[i];
        }
    }

    /// <summary>sums[i] += x[i]²</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(float* x, int width, float* sums)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
            for (; i <= width - 8; i += 8)
                Vector256.MultiplyAddEstimate(Vector256.Load(x + i), Vector256.Load(x + i), Vector256.Load(sums + i)).Store(sums + i);
        for (; i <= width - 4; i += 4)
            Vector128.MultiplyAddEstimate(Vector128.Load(x + i), Vector128.Load(x + i), Vector128.Load(sums + i)).Store(sums + i);
        for (; i < width; i++)
            sums[i] = float.MultiplyAddEstimate(x[i], x[i], sums[i]);
    }
}
