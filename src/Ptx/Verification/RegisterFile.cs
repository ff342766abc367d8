namespace IlgpuNetVlad.Ptx;

/// <summary>
/// The registers of a multiprocessor, the same from compute capability 7.0 to 9.0: each of its four partitions has a quarter of them and takes whole warps. So a warp gets registers in units of 256, and warps
/// count by fours (NVIDIA's <c>cuda_occupancy.h</c>): 288 threads, 9 warps, take as much as 12.
/// </summary>
public static class RegisterFile
{
    public const int Registers = 65536, MostOfThread = 255;

    private const int WarpThreads = 32, WarpUnit = 256, Partitions = 4;

    /// <summary>Registers that a block of so many threads takes.</summary>
    public static int Taken(int registersOfThread, int threads) => Up(registersOfThread * WarpThreads, WarpUnit) * Up(Up(threads, WarpThreads) / WarpThreads, Partitions);

    /// <summary>Whether a block can be launched.</summary>
    public static bool Suffices(int registersOfThread, int threads) => registersOfThread <= MostOfThread && Taken(registersOfThread, threads) <= Registers;

    private static int Up(int number, int unit) => (number + unit - 1) / unit * unit;
}
