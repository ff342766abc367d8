namespace IlgpuNetVlad.Kernels;

/// <summary>How a convolution by large tiles in fp32 reaches memory, a constant of a kernel: a branch between the two would have what was read wait before the product.</summary>
internal interface ISimtAccess
{
    /// <summary>Not 0: four channels at a time, 16 bytes; 0: number by number.</summary>
    int Fours { get; }

    /// <summary>Of the kernels of a tile.</summary>
    string Name(string tile);
}

/// <summary>16 bytes at a time.</summary>
internal readonly struct ByFours : ISimtAccess
{
    public int Fours => 1;

    public string Name(string tile) => tile;
}

/// <summary>Number by number: channels that are no multiple of four.</summary>
internal readonly struct ByOnes : ISimtAccess
{
    public int Fours => 0;

    public string Name(string tile) => $"{tile}-ones";
}
