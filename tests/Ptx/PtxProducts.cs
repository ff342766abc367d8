using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>wgmma: 64×16 times 16×16 against plain sums in every layout, whose places are written out here once more; what must not be touched or left out around it.</summary>
[TestFixture]
public sealed class PtxProducts
{
    private const int Rows = 64, Columns = 16, Depth = 16, TileInts = 2048, Threads = 128;

    /// <param name="width">Bytes of a swizzled line; 16 for none.</param>
    [Test]
    public void Product_InEveryLayout([Values(16, 32, 64, 128)] int width, [Values] bool aAcross, [Values] bool bAcross, [Values] bool added)
    {
        var random = new Random(width);
        var a = Matrix(random, Rows);
        var b = Matrix(random, Columns);
        int[] buffer = new int[2 * TileInts + Threads * 8];
        Put(buffer, 0, a, width, aAcross);
        Put(buffer, TileInts, b, width, bAcross);
        int[] result = PtxProgram.Run(
            $$"""
            .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 acc<8>; .reg .pred add; .shared .align 1024 .b8 s[16384];
            ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mul.wide.u32 %rd2, %r0, 16; add.u64 %rd3, %rd1, %rd2; mov.b64 %rd4, s; add.u64 %rd5, %rd4, %rd2;
            {{string.Concat(Enumerable.Range(0, 8).Select(i => $"ld.global.v4.b32 {{%r1, %r2, %r3, %r4}}, [%rd3+{2048 * i}]; st.shared.v4.b32 [%rd5+{2048 * i}], {{%r1, %r2, %r3, %r4}};\n"))}}
            fence.proxy.async; bar.sync 0;
            {{string.Concat(Enumerable.Range(0, 8).Select(i => $"mov.f32 acc{i}, 0f3F800000;\n"))}}
            mov.b64 %rd6, {{Descriptor(0, width, aAcross)}}; mov.b64 %rd7, {{Descriptor(4 * TileInts, width, bAcross)}};
            setp.ne.s32 add, {{(added ? 1 : 0)}}, 0;
            wgmma.fence.sync.aligned;
            wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {acc0, acc1, acc2, acc3, acc4, acc5, acc6, acc7}, %rd6, %rd7, add, 1, -1, {{(aAcross ? 1 : 0)}}, {{(bAcross ? 1 : 0)}};
            wgmma.commit_group.sync.aligned;
            wgmma.wait_group.sync.aligned 0;
            add.u64 %rd3, %rd3, %rd2;
            st.global.v4.f32 [%rd3+{{8 * TileInts}}], {acc0, acc1, acc2, acc3};
            st.global.v4.f32 [%rd3+{{8 * TileInts + 16}}], {acc4, acc5, acc6, acc7};
            """,
            buffer, Threads);
        for (int thread = 0; thread < Threads; thread++)
            for (int i = 0; i < 8; i++)
            {
                int row = thread / 32 * 16 + thread % 32 / 4 + (i & 2) * 4, column = i / 4 * 8 + thread % 4 * 2 + i % 2;
                float expected = added ? 1 : 0;
                for (int k = 0; k < Depth; k++)
                    expected -= a[row, k] * b[column, k];
                Assert.That(BitConverter.Int32BitsToSingle(result[2 * TileInts + thread * 8 + i]), Is.EqualTo(expected), $"({row}, {column})");
            }
    }

    private const string Head = ".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .pred %p<5>; .shared .align 1024 .b8 s[2048]; ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mul.wide.u32 %rd2, %r0, 16; add.u64 %rd3, %rd1, %rd2; mov.b64 %rd4, s; add.u64 %rd5, %rd4, %rd2; setp.ne.s32 %p1, 1, 0; setp.lt.s32 %p2, %r0, 32; mov.b64 %rd6, 68720001024;\n";

    private const string Written = "st.shared.v4.b32 [%rd5], {0, 0, 0, 0};", Fenced = Written + "fence.proxy.async; bar.sync 0; wgmma.fence.sync.aligned;";

    private const string Multiply = "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3}, %rd6, %rd6, %p1, 1, 1, 0, 0;";

    private const string Commit = "wgmma.commit_group.sync.aligned;", Wait = "wgmma.wait_group.sync.aligned 0;", Done = Fenced + Multiply + Commit + Wait, Use = "\nadd.f32 %f4, %f0, %f1;";

    private const string Copy = "cp.async.cg.shared.global [%rd5], [%rd3], 16; cp.async.commit_group;";

    /// <param name="wrong">Its last line is the wrong one.</param>
    [TestCase(PtxFaultKind.Unfenced, Written + "bar.sync 0; wgmma.fence.sync.aligned;\n" + Multiply, Done + Use)]
    [TestCase(PtxFaultKind.Unfenced, "fence.proxy.async;" + Copy + "cp.async.wait_group 0; bar.sync 0; wgmma.fence.sync.aligned;\n" + Multiply, Copy + "cp.async.wait_group 0; fence.proxy.async; bar.sync 0; wgmma.fence.sync.aligned;" + Multiply)]
    [TestCase(PtxFaultKind.Race, Written + "fence.proxy.async; wgmma.fence.sync.aligned;\n" + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.PendingCopy, Copy + "fence.proxy.async; bar.sync 0; wgmma.fence.sync.aligned;\n" + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.Uninitialised, "wgmma.fence.sync.aligned;\n" + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + Use, Done + Use)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "wgmma.wait_group.sync.aligned 1;" + Use, Done + Use)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Wait + Use, Done + Use)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + Multiply + Commit + "wgmma.wait_group.sync.aligned 1;" + Use, Fenced + Multiply + Commit + Multiply + Commit + Wait + Use)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "\nst.global.f32 [%rd3], %f3;", Done + "\nst.global.f32 [%rd3], %f3;")]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "\nmov.f32 %f2, 0f00000000;", Done + "\nmov.f32 %f2, 0f00000000;")]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + "mov.f32 %f0, 0f00000000;\n" + Multiply, "mov.f32 %f0, 0f00000000;" + Fenced + Multiply)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "\nwgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f1, %f0, %f2, %f3}, %rd6, %rd6, %p1, 1, 1, 0, 0;", Fenced + Multiply + Multiply)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "bar.sync 0;\n" + Written, Done + "bar.sync 0;\n" + Written)]
    [TestCase(PtxFaultKind.PendingProduct, Fenced + Multiply + Commit + "bar.sync 0;\n" + Copy, Done + "bar.sync 0;\n" + Copy)]
    [TestCase(PtxFaultKind.Race, Done + "\n" + Written, Done + "bar.sync 0;\n" + Written)]
    [TestCase(PtxFaultKind.Misaligned, Fenced + "mov.b64 %rd6, 0x4000004000010008;\n" + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.OutOfBounds, Fenced + "add.u64 %rd6, %rd6, 1;\n" + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.Divergent, Fenced + "\n@%p2 " + Multiply, Fenced + Multiply)]
    [TestCase(PtxFaultKind.Divergent, Fenced + "setp.eq.s32 %p2, %r0, 5;\n@!%p2 " + Multiply, Fenced + Multiply)]
    public void IsFound(PtxFaultKind kind, string wrong, string right)
    {
        var faults = PtxProgram.Faults(Head + wrong, 1024, Threads);
        Assert.That(faults.Select(f => f.Kind), Is.EqualTo(new[] { kind }));
        Assert.That((faults[0].Kernel, faults[0].Line), Is.EqualTo(("k", PtxProgram.FirstLine + wrong.Count(c => c == '\n') + 1)));
        Assert.That(PtxProgram.Faults(Head + right, 1024, Threads), Is.Empty);
    }

    [Test]
    public void NamesTheThread()
    {
        var fault = PtxProgram.Faults(Head + Fenced + Multiply + Commit + "setp.lt.s32 %p2, %r0, 64; @%p2 bra away;" + Use + "\naway: ret;", 1024, Threads).Single();
        Assert.That(fault.ToString(), Does.Contain($"line {PtxProgram.FirstLine + 2}, block (0, 0, 0), thread 64: an accumulator"));
    }

    [Test]
    public void ItsWorkIsCountedAsProductsInBf16()
    {
        var kernel = PtxProgram.Kernel(Head + Done);
        var memory = new GlobalMemory();
        ulong address = memory.Allocate<int>("p", new int[512]);
        var count = new PtxExecutor(kernel).Run(new PtxLaunch((1, 1, 1), (Threads, 1, 1)), BitConverter.GetBytes(address), memory, counted: true)!;
        var product = new KernelProfile($"{new string('\n', PtxProgram.FirstLine - 2)}{Head}{Done}\n", kernel, [count]).Lines.Single(l => l.Kind == InstructionKind.Bf16Product).Count;
        Assert.That(product.Flops, Is.EqualTo(2 * 64 * 8 * 16));
        // A is read by rows once, and B once for the four warps: 128 bytes a pass where no two chunks of a core matrix lie in one bank.
        Assert.That((product.SharedBytes, product.SharedPasses, product.SharedLeastPasses), Is.EqualTo(((64 + 8) * 32L, 18L, 18L)));
        Assert.That(KernelFacts.Of(kernel).TensorInstructions, Is.EqualTo(1));
    }

    /// <summary>Small multiples of 2⁻⁴: exact in bf16, and so are all sums in fp32.</summary>
    private static float[,] Matrix(Random random, int lines)
    {
        var values = new float[lines, Depth];
        for (int line = 0; line < lines; line++)
            for (int k = 0; k < Depth; k++)
                values[line, k] = random.Next(-32, 33) / 16f;
        return values;
    }

    private static void Put(int[] buffer, int tile, float[,] values, int width, bool across)
    {
        for (int line = 0; line < values.GetLength(0); line++)
            for (int k = 0; k < Depth; k++)
            {
                int at = Place(width, across, line, k);
                buffer[tile + at / 4] |= (int)((uint)BitConverter.SingleToInt32Bits(values[line, k]) >> 16 << at % 4 * 8);
            }
    }

    /// <summary>Byte of a number in its tile.</summary>
    private static int Place(int width, bool across, int line, int k)
    {
        if (width == 16)
            return line / 8 * 256 + k / 8 * 128 + (across ? k % 8 * 16 + line % 8 * 2 : line % 8 * 16 + k % 8 * 2);
        // Lines of so many bytes, whose chunks change places from one 128 bytes to the next.
        int lines = width / 2, panel = across ? line / lines * Depth * width : 0;
        int row = across ? k : line, number = across ? line % lines : k;
        return panel + row * width + (number / 8 ^ row * width / 128 % (width / 16)) * 16 + number % 8 * 2;
    }

    private static ulong Descriptor(int start, int width, bool across)
    {
        ulong leading = width == 16 ? 128u : across ? (ulong)(Depth * width) : 16u, stride = width == 16 ? 256u : (ulong)(8 * width), mode = width switch { 128 => 1, 64 => 2, 32 => 3, _ => 0u };
        return (ulong)start / 16 | leading / 16 << 16 | stride / 16 << 32 | mode << 62;
    }
}
