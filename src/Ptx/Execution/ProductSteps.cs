using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

/// <summary>
/// wgmma.mma_async m64nNk16: D = A·B + D in bf16 with sums in fp32, A of 64 rows and B of N columns in shared memory, by four warps, of which each has 16 rows. Thread 4g + q of a warp holds
/// of each eight columns (g, 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1). The sums are there at once, and nobody may look at them before they are waited for.
/// </summary>
internal sealed class ProductStep(int columns) : MemoryStep
{
    public const int ChunkBytes = 16;

    private const int Rows = 16, Depth = 16, WarpsOfGroup = 4, Numbers = 8;

    public int[] Sums { get; init; } = [];
    public int A { get; init; }
    public int B { get; init; }

    /// <summary>Slot of the predicate that says whether D is added; else it counts as 0.</summary>
    public int Added { get; init; }

    public float Sign { get; init; }
    public bool AAcross { get; init; }
    public bool BAcross { get; init; }

    /// <summary>A thread's share of the work.</summary>
    public int ThreadFlops => 2 * 64 * columns * Depth / (WarpsOfGroup * Warp.Lanes);

    public override void Run(Warp warp, uint mask)
    {
        ulong a = warp.Lane(A)[0], b = warp.Lane(B)[0], added = warp.Lane(Added)[0];
        if (mask != uint.MaxValue || warp.Lane(A).ContainsAnyExcept(a) || warp.Lane(B).ContainsAnyExcept(b) || warp.Lane(Added).ContainsAnyExcept(added))
            warp.Block.Stop(PtxFaultKind.Divergent, this, warp.FirstThread, "the lanes of the warp do not all multiply the same");
        if (!warp.Block.JoinsGroup(this, warp, a, b))
            return;
        int quarter = warp.FirstThread / Warp.Lanes % WarpsOfGroup;
        // Kept by k, so that the sums of a row are neighbours.
        float[] rows = new float[Rows * Depth], lines = new float[columns * Depth];
        var chunks = new List<int>();
        Read(warp, new(a), Rows * quarter, Rows, AAcross, rows, chunks, counted: true);
        Read(warp, new(b), 0, columns, BAcross, lines, chunks, counted: false);
        if (warp.Products.Start(Sums, [.. chunks]) is { } wrong)
            warp.Block.Report(PtxFaultKind.PendingProduct, this, warp.FirstThread, wrong);
        Multiply(warp, rows, lines, (added & 1) != 0);
    }

    /// <param name="counted">Whether all that this warp reads is its own share; else the four warps of the group share what they all read.</param>
    private void Read(Warp warp, MatrixDescriptor descriptor, int first, int count, bool across, float[] numbers, List<int> chunks, bool counted)
    {
        if (descriptor.Wrong() is { } wrong)
            warp.Block.Stop(PtxFaultKind.Misaligned, this, warp.FirstThread, wrong);
        Span<ulong> addresses = stackalloc ulong[Warp.Lanes];
        // A core matrix is eight lines of eight numbers.
        for (int core = 0; core < count / Numbers * (Depth / Numbers); core++)
        {
            int line = core / 2 * Numbers, k = core % 2 * Numbers;
            for (int i = 0; i < Numbers; i++)
            {
                int ownLine = across ? line : line + i, ownK = across ? k + i : k;
                int place = Shared(warp, 0, (ulong)descriptor.Chunk(first + ownLine, ownK, across), ChunkBytes);
                Note(warp, warp.FirstThread, warp.Block.Shared.StartProduct(place, ChunkBytes, warp.FirstThread));
                chunks.Add(place);
                addresses[i] = (ulong)place;
                var chunk = MemoryMarshal.Cast<byte, ushort>(warp.Block.Shared.Data.Slice(place, ChunkBytes));
                for (int n = 0; n < Numbers; n++)
                    numbers[across ? ownK * count + line + n : (k + n) * count + ownLine] = BitConverter.UInt32BitsToSingle((uint)chunk[n] << 16);
            }
            if (counted || core % WarpsOfGroup == warp.FirstThread / Warp.Lanes % WarpsOfGroup)
                warp.Block.Count?.Accessed(this, addresses, 0xFF, ChunkBytes, true);
        }
    }

    private void Multiply(Warp warp, float[] rows, float[] lines, bool added)
    {
        Span<float> sums = new float[columns];
        for (int row = 0; row < Rows; row++)
        {
            for (int i = 0; i < columns; i++)
            {
                var (slot, lane) = Place(row, i);
                sums[i] = added ? BitConverter.UInt32BitsToSingle((uint)warp.Lane(slot)[lane]) : 0;
            }
            var vectors = MemoryMarshal.Cast<float, Vector256<float>>(sums);
            for (int k = 0; k < Depth; k++)
            {
                var number = Vector256.Create(Sign * rows[k * Rows + row]);
                var line = MemoryMarshal.Cast<float, Vector256<float>>(lines.AsSpan(k * columns, columns));
                for (int i = 0; i < vectors.Length; i++)
                    vectors[i] += number * line[i];
            }
            for (int i = 0; i < columns; i++)
            {
                var (slot, lane) = Place(row, i);
                warp.Lane(slot)[lane] = BitConverter.SingleToUInt32Bits(sums[i]);
            }
        }
    }

    private (int Slot, int Lane) Place(int row, int column) => (Sums[column / 8 * 4 + row / 8 * 2 + column % 2], row % 8 * 4 + column % 8 / 2);
}

/// <summary>What orders products: fences, groups and waits, for the whole warp at once.</summary>
internal sealed class ProductOrderStep(Action<Warp> order) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            warp.Block.Stop(PtxFaultKind.Divergent, this, warp.FirstThread, $"lanes 0x{mask:x8} alone are at an instruction of the whole warp");
        order(warp);
    }
}
