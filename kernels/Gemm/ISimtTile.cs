namespace IlgpuNetVlad.Kernels;

/// <summary>The large block tiles of the Simt products (<see cref="SimtLargeTile{TTile}"/>), as constants of a kernel: 128 rows by so many columns, 8×8 sums a thread.</summary>
internal interface ISimtTile
{
    int Columns { get; }
}

/// <summary>128×128 by 256 threads.</summary>
internal readonly struct WideSimtTile : ISimtTile
{
    public int Columns => 128;
}

/// <summary>128×64 by 128 threads; for few columns.</summary>
internal readonly struct NarrowSimtTile : ISimtTile
{
    public int Columns => 64;
}
