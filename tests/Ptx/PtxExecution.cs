using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Small programs whose results are known, thread by thread.</summary>
[TestFixture]
public sealed class PtxExecution
{
    /// <summary>Registers, the buffer's address and each thread's place in it; the value to store is to come into %r1.</summary>
    private const string Head = """
            .reg .b32 %r<40>;
            .reg .b64 %rd<10>;
            .reg .f32 %f<20>;
            .reg .pred %p<5>;
            .shared .align 16 .b8 s[1024];
            ld.param.b64 %rd1, [p];
            mov.b32 %r0, %tid.x;
            mul.wide.u32 %rd2, %r0, 4;
            add.u64 %rd3, %rd1, %rd2;
            mov.b64 %rd4, s;
            add.u64 %rd5, %rd4, %rd2;
        """;

    private const string Tail = "\nst.global.b32 [%rd3], %r1;\nret;";

    private static int[] Run(string body, int threads = 32, int length = 64) => PtxProgram.Run(Head + body + Tail, new int[length], threads);

    [TestCase("add.s32 %r1, 2147483647, 1;", int.MinValue)]
    [TestCase("sub.s32 %r1, 3, 5;", -2)]
    [TestCase("mul.lo.s32 %r1, 65536, 65537;", 65536)]
    [TestCase("mul.hi.u32 %r1, -1, 16;", 15)]
    [TestCase("mad.lo.s32 %r1, -3, 4, 5;", -7)]
    [TestCase("div.s32 %r1, -7, 2;", -3)]
    [TestCase("rem.s32 %r1, -7, 2;", -1)]
    [TestCase("div.s32 %r1, -2147483648, -1;", int.MinValue)]
    [TestCase("shl.b32 %r1, 1, 33;", 0)]
    [TestCase("shr.s32 %r1, -8, 40;", -1)]
    [TestCase("shr.u32 %r1, -8, 28;", 15)]
    [TestCase("mul.wide.s32 %rd6, -2, 3; cvt.u32.u64 %r1, %rd6; shr.s64 %rd6, %rd6, 32; cvt.u32.u64 %r2, %rd6; xor.b32 %r1, %r1, %r2;", 5)]
    [TestCase("cvt.s64.s32 %rd6, -5; cvt.u32.u64 %r1, %rd6;", -5)]
    [TestCase("setp.lt.s32 %p1, -1, 1; selp.b32 %r1, 10, 20, %p1;", 10)]
    [TestCase("setp.lt.u32 %p1, -1, 1; selp.b32 %r1, 10, 20, %p1;", 20)]
    [TestCase("mov.f32 %f1, 0f7FC00000; setp.ltu.f32 %p1, %f1, %f1; setp.lt.f32 %p2, %f1, %f1; not.pred %p2, %p2; and.pred %p1, %p1, %p2; selp.b32 %r1, 1, 0, %p1;", 1)]
    [TestCase("mov.f32 %f1, 0f00000001; add.f32 %f2, %f1, %f1; mov.b32 %r1, %f2;", 2)]
    [TestCase("mov.f32 %f1, 0f00000001; add.ftz.f32 %f2, %f1, %f1; mov.b32 %r1, %f2;", 0)]
    [TestCase("mov.f32 %f1, 0f3F800001; mov.f32 %f2, 0fBF800002; fma.rn.f32 %f3, %f1, %f1, %f2; mov.b32 %r1, %f3;", 0x28800000)]
    [TestCase("mov.f32 %f1, 0fC0200000; cvt.rzi.s32.f32 %r1, %f1;", -2)]
    [TestCase("cvt.rn.f32.s32 %f1, 16777217; mov.b32 %r1, %f1;", 0x4B800000)]
    [TestCase("mov.f32 %f1, 0f3F808000; mov.f32 %f2, 0f3F818000; cvt.rn.bf16x2.f32 %r1, %f1, %f2;", 0x3F803F82)]
    [TestCase("mov.f32 %f1, 0f3F801000; cvt.rna.tf32.f32 %r1, %f1;", 0x3F802000)]
    public void AnInstructionComputes(string body, int expected) => Assert.That(Run(body)[31], Is.EqualTo(expected));

    [Test]
    public void WaysPartAndMeetAgain()
    {
        // Each thread runs the loop as often as its number; the odd ones take another way in it. What follows the loop is done by all at once, or the shuffle would fail.
        int[] result = Run("""
                mov.b32 %r1, 0;
                mov.b32 %r2, 0;
                loop:
                setp.ge.s32 %p1, %r2, %r0;
                @%p1 bra done;
                and.b32 %r3, %r0, 1;
                setp.eq.s32 %p2, %r3, 0;
                @!%p2 bra odd;
                add.s32 %r1, %r1, 1;
                bra next;
                odd:
                add.s32 %r1, %r1, 100;
                next:
                add.s32 %r2, %r2, 1;
                bra.uni loop;
                done:
                shfl.sync.bfly.b32 %r4, %r1, 1, 31, -1;
                add.s32 %r1, %r1, %r4;
            """);
        for (int i = 0; i < 32; i++)
            Assert.That(result[i], Is.EqualTo((i & ~1) + 100 * (i | 1)));
    }

    [TestCase("down", 1, 0x1f, 31, 31)]
    [TestCase("up", 1, 0, 0, 0)]
    [TestCase("down", 1, 0x181f, 7, 7)]
    [TestCase("down", 1, 0x181f, 6, 7)]
    [TestCase("idx", 5, 0x1f, 9, 5)]
    [TestCase("idx", 5, 0x181f, 9, 13)]
    [TestCase("bfly", 3, 0x1f, 9, 10)]
    public void AShuffleReads(string direction, int step, int bounds, int lane, int from)
        => Assert.That(Run($"shfl.sync.{direction}.b32 %r1|%p1, %r0, {step}, {bounds}, -1;")[lane], Is.EqualTo(from));

    [Test]
    public void ThreadsThatHaveEndedMissNoBarrier()
    {
        int[] result = PtxProgram.Run(Head + """
                setp.ge.u32 %p1, %r0, 40;
                @%p1 ret;
                st.shared.b32 [%rd5], %r0;
                bar.sync 0;
                xor.b32 %r2, %r0, 32;
                min.u32 %r2, %r2, 39;
                mul.wide.u32 %rd6, %r2, 4;
                add.u64 %rd6, %rd6, %rd4;
                ld.shared.b32 %r1, [%rd6];
            """ + Tail, new int[64], threads: 64);
        Assert.That(result[..41], Is.EqualTo(Enumerable.Range(0, 40).Select(i => Math.Min(i ^ 32, 39)).Append(0)));
    }

    [Test]
    public void VectorsGoAsOneAccess()
    {
        int[] result = Run("""
                mul.wide.u32 %rd6, %r0, 16;
                add.u64 %rd6, %rd6, %rd4;
                st.shared.v4.b32 [%rd6], {%r0, 7, 8, 9};
                ld.shared.v2.b32 {%r2, %r3}, [%rd6+8];
                add.s32 %r1, %r2, %r3;
            """);
        Assert.That(result[..32], Is.All.EqualTo(17));
    }

    [Test]
    public void ACopyArrivesWhenItIsWaitedFor()
    {
        // Two groups; the wait for all but one lets the first arrive alone, its last 8 bytes zero.
        int[] buffer = [.. Enumerable.Range(1, 256)];
        int[] result = PtxProgram.Run(Head + """
                mul.wide.u32 %rd6, %r0, 16;
                add.u64 %rd7, %rd6, %rd1;
                add.u64 %rd6, %rd6, %rd4;
                cp.async.cg.shared.global [%rd6], [%rd7], 16, 8;
                cp.async.commit_group;
                cp.async.cg.shared.global [%rd6+512], [%rd7+512], 16;
                cp.async.commit_group;
                cp.async.wait_group 1;
                ld.shared.v4.b32 {%r2, %r3, %r4, %r5}, [%rd6];
                cp.async.wait_group 0;
                ld.shared.b32 %r6, [%rd6+524];
                add.s32 %r1, %r2, %r3;
                add.s32 %r1, %r1, %r4;
                add.s32 %r1, %r1, %r5;
                mad.lo.s32 %r1, %r6, 1000, %r1;
            """ + Tail, buffer);
        for (int i = 0; i < 32; i++)
            Assert.That(result[i], Is.EqualTo(8 * i + 3 + 1000 * (128 + 4 * i + 4)));
    }
}
