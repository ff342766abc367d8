using System.Globalization;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// The GPU that the driver claims to have, as its maker describes it: CUDA's programming guide has the limits of each compute capability.
/// </summary>
/// <param name="SharedKb">Shared memory of a multiprocessor, in KB.</param>
/// <param name="MostSharedKb">Of a block at the most, where a kernel asks for it.</param>
/// <param name="Threads">Of a multiprocessor.</param>
/// <param name="MemoryGb">In 10⁹ bytes.</param>
internal sealed record DriverChip(string Name, string Description, int Major, int Minor, int Multiprocessors, int SharedKb, int MostSharedKb, int Threads, int ClockMhz, int MemoryGb)
{
    public long MemoryBytes => MemoryGb * 1_000_000_000L;

    /// <summary>Bytes of shared memory that a block gets without asking.</summary>
    public const int UnaskedSharedBytes = 48 * 1024;

    private static readonly DriverChip[] All =
    [
        new("T4", "Tesla T4", 7, 5, 40, 64, 64, 1024, 1590, 16),
        new("A100", "A100 SXM4 80 GB", 8, 0, 108, 164, 163, 2048, 1410, 80),
        new("RTX4090", "GeForce RTX 4090", 8, 9, 128, 100, 99, 1536, 2520, 24),
        new("H100", "H100 SXM5", 9, 0, 132, 228, 227, 2048, 1980, 80),
    ];

    public static DriverChip Named(string name)
        => All.FirstOrDefault(c => c.Name == name) ?? throw new DriverException(CudaResult.InvalidDevice, $"There is no chip {name} here: choose one of {string.Join(", ", All.Select(c => c.Name))}.");

    /// <summary>CUdevice_attribute by its number.</summary>
    public int Attribute(int number) => number switch
    {
        1 => 1024, // MAX_THREADS_PER_BLOCK
        2 or 3 => 1024, // MAX_BLOCK_DIM_X, Y
        4 => 64, // MAX_BLOCK_DIM_Z
        5 => int.MaxValue, // MAX_GRID_DIM_X
        6 or 7 => 65535, // MAX_GRID_DIM_Y, Z
        8 => UnaskedSharedBytes, // MAX_SHARED_MEMORY_PER_BLOCK
        9 => 64 * 1024, // TOTAL_CONSTANT_MEMORY
        10 => 32, // WARP_SIZE
        11 => int.MaxValue, // MAX_PITCH
        12 or 82 => 64 * 1024, // MAX_REGISTERS_PER_BLOCK, PER_MULTIPROCESSOR
        13 => ClockMhz * 1000, // CLOCK_RATE, kHz
        16 => Multiprocessors, // MULTIPROCESSOR_COUNT
        17 or 18 or 20 or 32 => 0, // KERNEL_EXEC_TIMEOUT, INTEGRATED, COMPUTE_MODE, ECC_ENABLED
        19 or 31 or 41 => 1, // CAN_MAP_HOST_MEMORY, CONCURRENT_KERNELS, UNIFIED_ADDRESSING
        33 or 34 or 50 => 0, // PCI_BUS_ID, PCI_DEVICE_ID, PCI_DOMAIN_ID
        35 => 0, // TCC_DRIVER
        36 => 1_000_000, // MEMORY_CLOCK_RATE, kHz
        37 => 512, // GLOBAL_MEMORY_BUS_WIDTH
        38 => 32 << 20, // L2_CACHE_SIZE
        39 => Threads, // MAX_THREADS_PER_MULTIPROCESSOR
        40 => 2, // ASYNC_ENGINE_COUNT
        75 => Major, // COMPUTE_CAPABILITY_MAJOR
        76 => Minor, // COMPUTE_CAPABILITY_MINOR
        81 => SharedKb * 1024, // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
        83 => 0, // MANAGED_MEMORY
        84 or 85 or 86 or 88 or 89 => 0, // MULTI_GPU_BOARD, MULTI_GPU_BOARD_GROUP_ID, HOST_NATIVE_ATOMIC_SUPPORTED, PAGEABLE_MEMORY_ACCESS, CONCURRENT_MANAGED_ACCESS
        90 or 91 or 95 => 1, // COMPUTE_PREEMPTION_SUPPORTED, CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM, COOPERATIVE_LAUNCH
        97 => MostSharedKb * 1024, // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        _ => throw new DriverException(CudaResult.InvalidValue, $"The stand-in for the NVIDIA driver knows no device attribute {number}."),
    };

    /// <summary>Whether it takes a module for a target such as sm_80, or sm_90a, which one chip takes alone.</summary>
    public bool Takes(string target)
    {
        string digits = target.Replace("sm_", "", StringComparison.Ordinal).TrimEnd('a');
        int capability = int.Parse(digits, CultureInfo.InvariantCulture), own = 10 * Major + Minor;
        return target.EndsWith('a') ? capability == own : capability <= own;
    }
}
