using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// tf32, four in a chunk: fp32 as it is, rounded in the fragment, so maps whose channels fill chunks need no pass of their own. Across k nothing turns numbers of four bytes, so each thread
/// reads its own words: lanes 4g + q read g = 0…7 neighbours of k = q (then q + 4), and the swizzle, two chunks to a k, puts the four lines into four different quarters of the banks.
/// <para>
/// Rounding: cvt.rna.tf32 is four instructions of the integer unit a number, which would take longer than the products. One product with 1 + 2⁻¹¹ before the last 13 bits are dropped does nearly the
/// same. With |x| = (t + f)·u, t from 2¹⁰ to 2¹¹ − 1 whole, 0 ≤ f &lt; 1: x·(1 + 2⁻¹¹) lies m = |x|·2⁻¹¹/u, which is 1/2 to 1, units farther out, so t becomes t + 1 where f ≥ 1 − m. The error
/// is at most m·u = 2⁻¹¹·|x| outwards, and (1 − m)·u &lt; u/2 ≤ 2⁻¹¹·|x| inwards; what tf32 holds (f = 0) stays, and so do infinities and NaN, which adding to the bits would not keep.
/// </para>
/// </summary>
internal readonly struct Tf32Numbers : ITensorNumbers
{
    public Precision Precision => Precision.Tf32;

    public int PerChunk => 4;

    public Sums64 Multiply(Sums64 c, FragmentA a, FragmentB b) => TensorCore.MultiplyTf32(c, TensorCore.RoundRows(a), TensorCore.RoundColumns(b));

    public int Swizzle(int k) => (k & 3) * 2;

    public FragmentA RowsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int row)
    {
        var words = shared.Cast<uint>();
        int q = Group.IdxX % 4, at = First(tile, line, k, row);
        return TensorCore.LoadRowWords(ref words[at + 8 * q], ref words[at + 8 * (q ^ 1)], ref words[at + 8 * (q ^ 2)], ref words[at + 8 * (q ^ 3)], 16 * line);
    }

    public FragmentB ColumnsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int column)
    {
        var words = shared.Cast<uint>();
        int q = Group.IdxX % 4, at = First(tile, line, k, column);
        return TensorCore.LoadColumnWords(ref words[at + 8 * q], ref words[at + 8 * (q ^ 1)], ref words[at + 8 * (q ^ 2)], ref words[at + 8 * (q ^ 3)], 16 * line);
    }

    public Chunk Pack<TRow>(TRow row)
        where TRow : struct, IPackingRow
        => new() { X = Interop.FloatAsInt(row.Next()), Y = Interop.FloatAsInt(row.Next()), Z = Interop.FloatAsInt(row.Next()), W = Interop.FloatAsInt(row.Next()) };

    /// <summary>Word of this thread's number g of the first eight, before the swizzle moves it by whole eights: a warp begins at a multiple of 32.</summary>
    private static int First(int tile, int line, int k, int side) => (tile + (k + Group.IdxX % 4) * line) * 4 + side + Group.IdxX % 32 / 4;
}
