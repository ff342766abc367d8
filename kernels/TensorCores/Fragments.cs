namespace IlgpuNetVlad.Kernels;

/// <summary>
/// A warp's share of A for one k16 step, 64 rows: four m16 tiles of four registers a thread. In the layout of the PTX ISA for m16n8k16, thread 4g + q holds of a tile
/// rows g and g + 8, k 2q, 2q + 1, 2q + 8 and 2q + 9: X (g, 2q…), Y (g + 8, 2q…), Z (g, 2q + 8…), W (g + 8, 2q + 8…).
/// </summary>
public struct FragmentA
{
    public Chunk M0, M1, M2, M3;
}

/// <summary>
/// A warp's share of B for one k16 step, 32 columns: four n8 tiles of two registers a thread. Thread 4g + q holds of a tile column g, k 2q… and 2q + 8…; a
/// <see cref="Chunk"/> has two tiles.
/// </summary>
public struct FragmentB
{
    public Chunk N01, N23;
}

/// <summary>One m16 tile of C by 32 columns: four n8 tiles of four sums. Thread 4g + q holds (g, 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1).</summary>
public struct Sums16
{
    public float A0, A1, A2, A3, B0, B1, B2, B3, C0, C1, C2, C3, D0, D1, D2, D3;
}

/// <summary>A warp's 64×32 of C: 64 sums a thread, in fp32. Fields of a struct travel in registers; an array would lie in local memory.</summary>
public struct Sums64
{
    public Sums16 M0, M1, M2, M3;
}
