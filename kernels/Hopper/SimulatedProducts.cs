using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The accumulators of a simulated thread, and its products on their way (<see cref="Wgmma"/>): each thread computes its own sums from shared memory, as late as it may, when a group is waited for, and
/// sees whether an operand has changed since the start. What is read before all groups have ended is NaN.
/// </summary>
internal sealed unsafe class SimulatedProducts
{
    /// <summary>Tiles of 64 rows, and steps of 16 k, of a group.</summary>
    private const int Tiles = 2, Steps = 4;

    /// <summary>A thread's rows of both tiles, its columns, and the k of a group.</summary>
    private const int Rows = 2 * Tiles, Columns = 32, Depth = 16 * Steps;

    [ThreadStatic]
    private static SimulatedProducts? own;

    private readonly float[] sums = new float[Rows * Columns];
    private readonly Queue<Product> underWay = [];

    public static SimulatedProducts Own => own!;

    public static void Open() => own = new();

    /// <param name="a">Descriptors of the steps of the first tile, then of the second.</param>
    /// <param name="b">Descriptors of the steps.</param>
    public void Start(ulong[] a, ulong[] b, bool aAcross, bool bAcross)
    {
        var product = new Product(a, b, aAcross, bAcross, new ushort[Depth * (Rows + Columns)]);
        Read(product, product.Operands);
        underWay.Enqueue(product);
    }

    /// <summary>All groups but the last so many end. Every lane of a warp calls; behind it, the warp's groups have ended.</summary>
    public void Wait(int groups)
    {
        while (underWay.Count > groups)
            Multiply(underWay.Dequeue());
        Warp.Barrier();
    }

    public Sums64 Sums(int tile)
    {
        Sums64 result;
        float* to = (float*)&result;
        // Of each eight columns two of row g, then two of row g + 8.
        for (int i = 0; i < 2 * Columns; i++)
            to[i] = underWay.Count > 0 ? float.NaN : sums[(2 * tile + i / 2 % 2) * Columns + i / 4 * 2 + i % 2];
        return result;
    }

    private void Multiply(Product product)
    {
        var operands = new ushort[Depth * (Rows + Columns)];
        Read(product, operands);
        if (!operands.AsSpan().SequenceEqual(product.Operands))
            SimulatedBlock.Fail("an operand of a product was written while the product was on its way");
        float* numbers = stackalloc float[operands.Length];
        for (int i = 0; i < operands.Length; i++)
            numbers[i] = BitConverter.UInt32BitsToSingle((uint)operands[i] << 16);
        float* columns = numbers + Rows * Depth;
        fixed (float* to = sums)
            for (int row = 0; row < Rows; row++)
                for (int column = 0; column < Columns; column += Vector256<float>.Count)
                {
                    var sum = Vector256.Load(to + row * Columns + column);
                    for (int k = 0; k < Depth; k++)
                        sum += Vector256.Create(numbers[row * Depth + k]) * Vector256.Load(columns + k * Columns + column);
                    sum.Store(to + row * Columns + column);
                }
    }

    /// <summary>What this thread's sums are made of: its rows one after the other, then of each k its columns.</summary>
    private void Read(Product product, ushort[] operands)
    {
        int warp = Group.IdxX / 32 % 4, g = Group.IdxX % 32 / 4, q = Group.IdxX % 4;
        for (int row = 0; row < Rows; row++)
            for (int k = 0; k < Depth; k += product.AAcross ? 1 : 8)
            {
                var eight = SimulatedBlock.Own.Eight(product.A[row / 2 * Steps + k / 16], 16 * warp + g + 8 * (row % 2), k % 16, product.AAcross);
                if (product.AAcross)
                    operands[row * Depth + k] = eight[g];
                else
                    eight.CopyTo(operands.AsSpan(row * Depth + k));
            }
        var columns = operands.AsSpan(Rows * Depth);
        for (int column = 0; column < Columns; column += product.BAcross ? 2 : 1)
            for (int k = 0; k < Depth; k += product.BAcross ? 1 : 8)
            {
                var eight = SimulatedBlock.Own.Eight(product.B[k / 16], column / 2 * 8 + 2 * q + column % 2, k % 16, product.BAcross);
                if (product.BAcross)
                    eight.Slice(2 * q, 2).CopyTo(columns[(k * Columns + column)..]);
                else
                    for (int i = 0; i < 8; i++)
                        columns[(k + i) * Columns + column] = eight[i];
            }
    }

    /// <param name="Operands">What this thread read at its start.</param>
    private sealed record Product(ulong[] A, ulong[] B, bool AAcross, bool BAcross, ushort[] Operands);
}
