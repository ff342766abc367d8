using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// wgmma, the asynchronous products of Hopper (sm_90a): four warps multiply tiles that lie in shared memory, while their threads go on. The accumulators are registers with names of their own
/// in the PTX, acc0 … acc127, and no values of C#: what ILGPU moves about while a product is on its way would make the assembler wait for each one. On the CPU they are a simulated thread's own
/// (<see cref="SimulatedProducts"/>).
/// </summary>
public static class Wgmma
{
    /// <summary>Of a thread: two products of 64 rows by 128 columns of its four warps.</summary>
    private const int Accumulators = 128, OfProduct = 64;

    /// <summary>Swizzled lines of 128 bytes, patterns of eight lines 1024 bytes apart; the leading distance is not looked at where one pattern is as wide as the operand.</summary>
    private const ulong Lines = 1UL << 62 | 1024UL / 16 << 32 | 1UL << 16;

    /// <summary>The same, with 64 neighbouring columns in a panel of 64 k, 8 KB from one panel to the next.</summary>
    private const ulong Panels = 1UL << 62 | 1024UL / 16 << 32 | 8192UL / 16 << 16;

    /// <summary>Declares the accumulators and sets them to 0; once, before all else.</summary>
    [IntrinsicImplementation]
    public static void Open() => SimulatedProducts.Open();

    /// <summary>The address of the shared memory that the kernel asked for, in bytes; once, by every thread.</summary>
    [IntrinsicImplementation]
    public static uint Address(ref Chunk shared) => SimulatedBlock.Begin(ref shared);

    /// <summary>fence.proxy.async: what this thread has written to shared memory, or had copied there, is there for products behind the next barrier. On the CPU it is there at once; that the fence is not missing, only the emitted PTX can show.</summary>
    [IntrinsicImplementation]
    public static void Publish()
    {
    }

    /// <summary>
    /// Starts a group of eight wgmma.m64n128k16, for 128 rows of A, 128 columns of B and 64 of k, and adds them to the accumulators.
    /// </summary>
    /// <param name="a">Address of this warpgroup's half of A: two tiles of 64 rows, 8 KB each.</param>
    /// <param name="b">Address of B.</param>
    /// <param name="aAcross">1 where the rows of a k are neighbours, 0 where the k of a row are; a constant.</param>
    /// <param name="bAcross">The same for B and its columns.</param>
    [IntrinsicImplementation]
    public static void Start(uint a, uint b, int aAcross, int bAcross)
        => SimulatedProducts.Own.Start(Descriptors(a, Lines, aAcross, tiles: 2), Descriptors(b, LayoutOfB(bAcross), bAcross), aAcross != 0, bAcross != 0);

    /// <summary>The same, with the two tiles of 64 rows anywhere.</summary>
    /// <param name="upper">Address of the first tile of 64 rows.</param>
    /// <param name="lower">Address of the second.</param>
    /// <inheritdoc cref="Start"/>
    [IntrinsicImplementation]
    public static void StartApart(uint upper, uint lower, uint b, int aAcross, int bAcross)
        => SimulatedProducts.Own.Start(
            [.. Descriptors(upper, Lines, aAcross), .. Descriptors(lower, Lines, aAcross)], Descriptors(b, LayoutOfB(bAcross), bAcross), aAcross != 0, bAcross != 0);

    /// <summary>wgmma.wait_group 1: all groups but the last have ended.</summary>
    [IntrinsicImplementation]
    public static void WaitForAllButOne() => SimulatedProducts.Own.Wait(1);

    /// <summary>wgmma.wait_group 0: all groups have ended.</summary>
    [IntrinsicImplementation]
    public static void WaitForAll() => SimulatedProducts.Own.Wait(0);

    /// <summary>
    /// The sums of 64 rows: of each eight columns, four to a field of 32 columns, thread 4g + q of warp w has (16w + g, 2q), (16w + g, 2q + 1), (16w + g + 8, 2q), (16w + g + 8, 2q + 1).
    /// </summary>
    /// <param name="half">0 or 1, a constant.</param>
    [IntrinsicImplementation]
    public static Sums64 Sums(int half) => SimulatedProducts.Own.Sums(half);

    private static void EmitOpen(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        PtxEmitter.Write(generator, $".reg .f32 acc<{Accumulators}>");
        for (int i = 0; i < Accumulators; i++)
            PtxEmitter.Write(generator, $"mov.f32 acc{i}, 0f00000000");
    }

    private static void EmitAddress(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"cvt.u32.u64 {PtxEmitter.Result(generator, value)[0]}, {PtxEmitter.Argument(generator, value, 0)[0]}");

    private static void EmitPublish(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "fence.proxy.async.shared::cta");

    private static void EmitStart(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        int aAcross = PtxEmitter.Constant(generator, value, 2);
        Begin(generator);
        Describe(generator, "da", 0, PtxEmitter.Argument(generator, value, 0)[0], Lines, aAcross, tiles: 2);
        Multiply(generator, PtxEmitter.Argument(generator, value, 1)[0], aAcross, PtxEmitter.Constant(generator, value, 3));
    }

    private static void EmitStartApart(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        int aAcross = PtxEmitter.Constant(generator, value, 3);
        Begin(generator);
        Describe(generator, "da", 0, PtxEmitter.Argument(generator, value, 0)[0], Lines, aAcross, tiles: 1);
        Describe(generator, "da", 4, PtxEmitter.Argument(generator, value, 1)[0], Lines, aAcross, tiles: 1);
        Multiply(generator, PtxEmitter.Argument(generator, value, 2)[0], aAcross, PtxEmitter.Constant(generator, value, 4));
    }

    private static void Begin(PTXCodeGenerator generator)
    {
        PtxEmitter.Write(generator, "{ .reg .b64 da<8>");
        PtxEmitter.Write(generator, ".reg .b64 db<4>");
        PtxEmitter.Write(generator, ".reg .b32 place");
        PtxEmitter.Write(generator, ".reg .pred add");
        PtxEmitter.Write(generator, "setp.ne.b32 add, 1, 0");
    }

    private static void Multiply(PTXCodeGenerator generator, string b, int aAcross, int bAcross)
    {
        Describe(generator, "db", 0, b, LayoutOfB(bAcross), bAcross, tiles: 1);
        PtxEmitter.Write(generator, "wgmma.fence.sync.aligned");
        for (int tile = 0; tile < 2; tile++)
            for (int step = 0; step < 4; step++)
                PtxEmitter.Write(generator, $"wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {Names(tile)}, da{4 * tile + step}, db{step}, add, 1, 1, {aAcross}, {bAcross}");
        PtxEmitter.Write(generator, "wgmma.commit_group.sync.aligned");
        // The command's semicolon would be an empty statement behind the brace.
        PtxEmitter.Write(generator, "} //");
    }

    /// <summary>Descriptors of four steps of 16 k for each tile: 32 bytes further in each line, or 16 lines.</summary>
    /// <param name="first">Number of the first register.</param>
    private static void Describe(PTXCodeGenerator generator, string name, int first, string address, ulong layout, int across, int tiles)
    {
        PtxEmitter.Write(generator, $"shr.u32 place, {address}, 4");
        PtxEmitter.Write(generator, $"cvt.u64.u32 {name}{first}, place");
        PtxEmitter.Write(generator, $"or.b64 {name}{first}, {name}{first}, {layout}");
        for (int i = 1; i < 4 * tiles; i++)
            PtxEmitter.Write(generator, $"add.u64 {name}{first + i}, {name}{first}, {Further(i, across)}");
    }

    /// <summary>The same as numbers.</summary>
    private static ulong[] Descriptors(uint address, ulong layout, int across, int tiles = 1)
        => [.. Enumerable.Range(0, 4 * tiles).Select(i => ((address >> 4) | layout) + (ulong)Further(i, across))];

    private static ulong LayoutOfB(int across) => across != 0 ? Panels : Lines;

    private static int Further(int i, int across) => i / 4 * (8192 / 16) + i % 4 * (across != 0 ? 2048 / 16 : 32 / 16);

    private static void EmitWaitForAllButOne(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "wgmma.wait_group.sync.aligned 1");

    private static void EmitWaitForAll(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "wgmma.wait_group.sync.aligned 0");

    private static void EmitSums(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        int first = OfProduct * PtxEmitter.Constant(generator, value, 0);
        foreach (var (register, i) in PtxEmitter.Result(generator, value).Select((r, i) => (r, i)))
            PtxEmitter.Write(generator, $"mov.f32 {register}, acc{first + i}");
    }

    private static string Names(int tile) => PtxEmitter.Vector(Enumerable.Range(tile * OfProduct, OfProduct).Select(i => $"acc{i}"));
}
