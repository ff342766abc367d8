using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

/// <summary>Where a lane looks.</summary>
internal enum ShuffleDirection
{
    Up,
    Down,
    Bfly,
    Idx,
}

/// <summary>Each lane reads a register of another lane.</summary>
/// <param name="predicate">Slot that tells whether the other lane lies in range; −1 for none.</param>
/// <param name="bounds">Clamp in bits 0 to 4, mask of segments in bits 8 to 12.</param>
internal sealed class ShuffleStep(ShuffleDirection direction, int target, int predicate, int source, int distance, int bounds, int members) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        Span<ulong> before = stackalloc ulong[Warp.Lanes];
        warp.Lane(source).CopyTo(before);
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            int thread = warp.FirstThread + i;
            uint who = (uint)warp.Lane(members)[i];
            if ((who >> i & 1) == 0 || (who & warp.Live & ~mask) != 0)
                warp.Block.Report(PtxFaultKind.Divergent, this, thread, $"lanes 0x{who:x8} are to shuffle and lanes 0x{mask:x8} are here");
            int limits = (int)warp.Lane(bounds)[i], clamp = limits & 31, segment = limits >> 8 & 31, step = (int)warp.Lane(distance)[i] & 31;
            int last = (i & segment) | (clamp & ~segment), first = i & segment;
            int at = direction switch
            {
                ShuffleDirection.Up => i - step,
                ShuffleDirection.Down => i + step,
                ShuffleDirection.Bfly => i ^ step,
                _ => first | (step & ~segment),
            };
            bool inside = direction == ShuffleDirection.Up ? at >= last : at <= last;
            if (!inside)
                at = i;
            if ((mask >> at & 1) == 0)
                warp.Block.Report(PtxFaultKind.Divergent, this, thread, $"lane {at} is read and takes no part");
            warp.Lane(target)[i] = (uint)before[at];
            if (predicate >= 0)
                warp.Lane(predicate)[i] = inside ? 1u : 0;
        }
    }
}

/// <summary>
/// Loads 8×8 matrices of 16 bits from shared memory into fragments: lane 8m + r names row r of matrix m, and lane 4r + c receives numbers 2c and 2c + 1 of row r, or
/// of column r.
/// </summary>
internal sealed class LoadMatrixStep(int[] targets, (int Slot, long Offset) from, bool across) : MemoryStep
{
    private const int RowBytes = 16;

    public override void Run(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            warp.Block.Stop(PtxFaultKind.Divergent, this, warp.FirstThread, $"lanes 0x{mask:x8} alone are at an instruction of the whole warp");
        Span<ulong> addresses = stackalloc ulong[Warp.Lanes];
        for (int i = 0; i < Warp.Lanes; i++)
            addresses[i] = warp.Lane(from.Slot)[i] + (ulong)from.Offset;
        warp.Block.Count?.Accessed(this, addresses, targets.Length == 4 ? mask : (1u << 8 * targets.Length) - 1, RowBytes, true);
        for (int m = 0; m < targets.Length; m++)
        {
            var to = warp.Lane(targets[m]);
            for (int r = 0; r < 8; r++)
            {
                int owner = 8 * m + r, place = Shared(warp, owner, addresses[owner], RowBytes), reader = warp.FirstThread + 4 * r;
                // Four lanes receive a row, all eight numbers of it: no one thread may still be writing there, so two readers are noted.
                Note(warp, reader, warp.Block.Shared.ReadByTwo(place, RowBytes, reader));
                var row = warp.Block.Shared.Data.Slice(place, RowBytes);
                if (!across)
                {
                    var pairs = MemoryMarshal.Cast<byte, uint>(row);
                    for (int c = 0; c < pairs.Length; c++)
                        to[4 * r + c] = pairs[c];
                    continue;
                }
                var numbers = MemoryMarshal.Cast<byte, ushort>(row);
                int shift = 16 * (r & 1);
                for (int c = 0; c < numbers.Length; c++)
                {
                    ref ulong pair = ref to[4 * c + r / 2];
                    pair = pair & ~(0xFFFFul << shift) | (ulong)numbers[c] << shift;
                }
            }
        }
    }
}

/// <summary>
/// D = A·B + C on tensor cores, A of 16 rows and B of 8 columns, with products exact and sums in fp32, k in order. Thread 4g + q holds of C and D (g, 2q), (g, 2q + 1),
/// (g + 8, 2q), (g + 8, 2q + 1).
/// </summary>
internal abstract class MultiplyStep(int depth) : Step
{
    private const int Rows = 16, Columns = 8;

    public int[] Results { get; set; } = [];
    public int[] A { get; set; } = [];
    public int[] B { get; set; } = [];
    public int[] C { get; set; } = [];

    /// <summary>A thread's share of the work.</summary>
    public int ThreadFlops => 2 * Rows * Columns * depth / Warp.Lanes;

    public sealed override void Run(Warp warp, uint mask)
    {
        if (mask != uint.MaxValue)
            warp.Block.Stop(PtxFaultKind.Divergent, this, warp.FirstThread, $"lanes 0x{mask:x8} alone are at an instruction of the whole warp");
        Span<float> a = stackalloc float[Rows * depth], b = stackalloc float[depth * Columns], sums = stackalloc float[Rows * Columns];
        for (int i = 0; i < 4; i++)
        {
            var lanes = warp.Lane(A[i]);
            for (int lane = 0; lane < Warp.Lanes; lane++)
                Unpack(a[((lane / 4 + 8 * (i & 1)) * depth)..], 1, lane % 4, i / 2, (uint)lanes[lane]);
        }
        for (int i = 0; i < 2; i++)
        {
            var lanes = warp.Lane(B[i]);
            for (int lane = 0; lane < Warp.Lanes; lane++)
                Unpack(b[(lane / 4)..], Columns, lane % 4, i, (uint)lanes[lane]);
        }
        for (int i = 0; i < 4; i++)
        {
            var lanes = warp.Lane(C[i]);
            for (int lane = 0; lane < Warp.Lanes; lane++)
                sums[Place(i, lane)] = BitConverter.UInt32BitsToSingle((uint)lanes[lane]);
        }
        var lines = MemoryMarshal.Cast<float, Vector256<float>>(b);
        var rows = MemoryMarshal.Cast<float, Vector256<float>>(sums);
        for (int row = 0; row < Rows; row++)
        {
            var sum = rows[row];
            for (int k = 0; k < lines.Length; k++)
                sum += Vector256.Create(a[row * depth + k]) * lines[k];
            rows[row] = sum;
        }
        for (int i = 0; i < 4; i++)
        {
            var lanes = warp.Lane(Results[i]);
            for (int lane = 0; lane < Warp.Lanes; lane++)
                lanes[lane] = BitConverter.SingleToUInt32Bits(sums[Place(i, lane)]);
        }
    }

    /// <summary>Where the i-th sum of a lane stands in C and D, line by line.</summary>
    private static int Place(int i, int lane) => (lane / 4 + 8 * (i / 2)) * Columns + lane % 4 * 2 + (i & 1);

    /// <summary>Puts what a register holds where it belongs in a line of A or a column of B, whose neighbours stand so far apart.</summary>
    protected abstract void Unpack(Span<float> line, int step, int quad, int half, uint bits);
}

/// <summary>m16n8k16: a register holds k 2q and 2q + 1, of the second half those 8 further.</summary>
internal sealed class MultiplyBf16() : MultiplyStep(16)
{
    protected override void Unpack(Span<float> line, int step, int quad, int half, uint bits)
    {
        int k = half * 8 + quad * 2;
        line[k * step] = BitConverter.UInt32BitsToSingle(bits << 16);
        line[(k + 1) * step] = BitConverter.UInt32BitsToSingle(bits & 0xFFFF_0000);
    }
}

/// <summary>m16n8k8: a register holds k q, of the second half q + 4; the hardware does not look at the last 13 bits.</summary>
internal sealed class MultiplyTf32() : MultiplyStep(8)
{
    protected override void Unpack(Span<float> line, int step, int quad, int half, uint bits) => line[(half * 4 + quad) * step] = BitConverter.UInt32BitsToSingle(bits & ~0x1FFFu);
}
