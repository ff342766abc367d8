using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>bf16, eight in a chunk: rounded when packed. Across k, ldmatrix.trans turns 8×8 numbers, whose eight lines of 16 bytes the swizzle puts into different banks.</summary>
internal readonly struct Bf16Numbers : ITensorNumbers
{
    public Precision Precision => Precision.Bf16;

    public int PerChunk => 8;

    public Sums64 Multiply(Sums64 c, FragmentA a, FragmentB b) => TensorCore.Multiply(c, a, b);

    public int Swizzle(int k) => k & 7;

    public FragmentA RowsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int row)
    {
        int lane = Group.IdxX % 32, chunk = row / 8 + lane / 8 % 2;
        k += lane % 8 + lane / 16 * 8;
        int at = tile + k * line, swizzle = Swizzle(k);
        return TensorCore.LoadRowsAcross(ref shared[at + (chunk ^ swizzle)], ref shared[at + (chunk + 2 ^ swizzle)], ref shared[at + (chunk + 4 ^ swizzle)], ref shared[at + (chunk + 6 ^ swizzle)]);
    }

    public FragmentB ColumnsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int column)
    {
        int lane = Group.IdxX % 32, chunk = column / 8 + lane / 16;
        k += lane % 16;
        int at = tile + k * line, swizzle = Swizzle(k);
        return TensorCore.LoadColumnsAcross(ref shared[at + (chunk ^ swizzle)], ref shared[at + (chunk + 2 ^ swizzle)]);
    }

    public Chunk Pack<TRow>(TRow row)
        where TRow : struct, IPackingRow
        => new() { X = Two(ref row), Y = Two(ref row), Z = Two(ref row), W = Two(ref row) };

    private static uint Two<TRow>(ref TRow row)
        where TRow : struct, IPackingRow
    {
        float low = row.Next();
        return TensorCore.Pack(low, row.Next());
    }
}
