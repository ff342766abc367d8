using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>What goes wrong by chance on a GPU is found every time here, at its line; the same program put right runs through.</summary>
[TestFixture]
public sealed class PtxFaults
{
    private const string Head = ".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<5>; .shared .align 16 .b8 s[1024]; ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mul.wide.u32 %rd2, %r0, 4; mov.b64 %rd4, s; add.u64 %rd5, %rd4, %rd2; xor.b32 %r1, %r0, 1; mul.wide.u32 %rd6, %r1, 4; add.u64 %rd6, %rd6, %rd4; mul.wide.u32 %rd7, %r0, 16; add.u64 %rd8, %rd7, %rd1; add.u64 %rd7, %rd7, %rd4; setp.lt.s32 %p1, %r0, 7;\n";

    /// <param name="wrong">Its last statement, alone in its line, is the wrong one.</param>
    [TestCase(PtxFaultKind.Race, "st.shared.b32 [%rd5], 1;\nld.shared.b32 %r2, [%rd6];", "st.shared.b32 [%rd5], 1; bar.sync 0;\nld.shared.b32 %r2, [%rd6];")]
    [TestCase(PtxFaultKind.Race, "st.shared.b32 [%rd5], 1; bar.sync 0; ld.shared.b32 %r2, [%rd6];\nst.shared.b32 [%rd5], 2;", "st.shared.b32 [%rd5], 1; bar.sync 0; ld.shared.b32 %r2, [%rd6]; bar.sync 0;\nst.shared.b32 [%rd5], 2;")]
    [TestCase(PtxFaultKind.Race, "st.shared.b32 [%rd4], 1;", "@%p0 st.shared.b32 [%rd4], 1;")]
    [TestCase(PtxFaultKind.Race, "st.shared.b16 [%rd5+2], 1;\nst.shared.b32 [%rd6], 1;", "st.shared.b16 [%rd5+2], 1;\nst.shared.b32 [%rd5], 1;")]
    [TestCase(PtxFaultKind.Uninitialised, "ld.shared.b32 %r2, [%rd5];", "st.shared.b32 [%rd5], 1;\nld.shared.b32 %r2, [%rd5];")]
    [TestCase(PtxFaultKind.Uninitialised, "st.shared.b16 [%rd5], 1;\nld.shared.b32 %r2, [%rd5];", "st.shared.b16 [%rd5], 1;\nld.shared.b16 %r2, [%rd5];")]
    [TestCase(PtxFaultKind.Race, "st.shared.b32 [%rd5], 1;\nld.shared.b16 %r2, [%rd6+2];", "st.shared.b32 [%rd5], 1; bar.sync 0;\nld.shared.b16 %r2, [%rd6+2];")]
    [TestCase(PtxFaultKind.OutOfBounds, "ld.global.b32 %r2, [%rd1+1024];", "ld.global.b32 %r2, [%rd1+1020];")]
    [TestCase(PtxFaultKind.OutOfBounds, "st.b32 [%rd1+-4], 1;", "st.b32 [%rd1], 1;")]
    [TestCase(PtxFaultKind.OutOfBounds, "ld.b32 %r2, [%rd4];", "ld.b32 %r2, [%rd1];")]
    [TestCase(PtxFaultKind.OutOfBounds, "st.shared.b32 [%rd5+900], 1;", "st.shared.b32 [%rd5+896], 1;")]
    [TestCase(PtxFaultKind.OutOfBounds, "cp.async.cg.shared.global [%rd7], [%rd8+1024], 16;", "cp.async.cg.shared.global [%rd7], [%rd8+1024], 16, 0;")]
    [TestCase(PtxFaultKind.Misaligned, "ld.global.b32 %r2, [%rd1+2];", "ld.global.b16 %r2, [%rd1+2];")]
    [TestCase(PtxFaultKind.Misaligned, "ld.global.v4.b32 {%r2, %r3, %r4, %r5}, [%rd1+8];", "ld.global.v2.b32 {%r2, %r3}, [%rd1+8];")]
    [TestCase(PtxFaultKind.Misaligned, "cp.async.cg.shared.global [%rd7+8], [%rd8], 16;", "cp.async.cg.shared.global [%rd7], [%rd8], 16;")]
    [TestCase(PtxFaultKind.PendingCopy, "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.commit_group;\nld.shared.b32 %r2, [%rd7];", "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.commit_group; cp.async.wait_group 0;\nld.shared.b32 %r2, [%rd7];")]
    [TestCase(PtxFaultKind.PendingCopy, "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.commit_group; cp.async.wait_group 1;\nld.shared.b32 %r2, [%rd7];", "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.wait_all;\nld.shared.b32 %r2, [%rd7];")]
    [TestCase(PtxFaultKind.PendingCopy, "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.wait_group 0;\nst.shared.b32 [%rd7], 1;", "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.wait_all;\nst.shared.b32 [%rd7], 1;")]
    [TestCase(PtxFaultKind.Race, "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.wait_all;\nld.shared.b32 %r2, [%rd6];", "cp.async.cg.shared.global [%rd7], [%rd8], 16; cp.async.wait_all; bar.sync 0;\nld.shared.b32 %r2, [%rd6];")]
    [TestCase(PtxFaultKind.Race, "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; bar.sync 0; ld.shared.b32 %r2, [%rd6];\ncp.async.cg.shared.global [%rd7], [%rd8], 16;", "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; bar.sync 0; ld.shared.b32 %r2, [%rd6]; bar.sync 0;\ncp.async.cg.shared.global [%rd7], [%rd8], 16;")]
    [TestCase(PtxFaultKind.Race, "st.shared.v4.b32 [%rd7], {1, 1, 1, 1};\nldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%rd7];", "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; bar.sync 0;\nldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%rd7];")]
    [TestCase(PtxFaultKind.Race, "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; setp.eq.s32 %p2, %r0, 0; bar.sync 0; @%p2 st.shared.b32 [%rd7], 2;\nldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%rd7];", "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; setp.eq.s32 %p2, %r0, 0; @%p2 st.shared.b32 [%rd7], 2; bar.sync 0;\nldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%rd7];")]
    [TestCase(PtxFaultKind.Divergent, "@%p1 bra away;\nbar.sync 0;\naway: ret;", "@%p1 bra away;\naway: bar.sync 0;")]
    [TestCase(PtxFaultKind.Divergent, "@%p1 bra away;\nshfl.sync.bfly.b32 %r2, %r0, 1, 31, -1;\naway: ret;", "shfl.sync.bfly.b32 %r2, %r0, 1, 31, -1;")]
    [TestCase(PtxFaultKind.Divergent, "@%p1 ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%rd7];", "st.shared.v4.b32 [%rd7], {1, 1, 1, 1}; bar.sync 0;\nldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%rd7];")]
    [TestCase(PtxFaultKind.Endless, "again: bra again;", "bra again;\nagain: ret;")]
    public void IsFound(PtxFaultKind kind, string wrong, string right)
    {
        var faults = PtxProgram.Faults(Head + wrong);
        Assert.That(faults.Select(f => f.Kind), Is.EqualTo(new[] { kind }));
        string[] lines = wrong.Split('\n');
        Assert.That(faults[0].Line, Is.EqualTo(PtxProgram.FirstLine + 1 + (wrong.EndsWith("ret;") ? lines.Length - 2 : lines.Length - 1)));
        Assert.That(faults[0].Kernel, Is.EqualTo("k"));
        Assert.That(PtxProgram.Faults(Head + right), Is.Empty);
    }

    [Test]
    public void ABlockBeginsWithNothingWritten()
    {
        const string own = "mov.b32 %r2, %ctaid.x; setp.eq.s32 %p2, %r2, 0;";
        foreach (string type in new[] { "b16", "b32" })
            Assert.That(PtxProgram.Faults($"{Head}{own} @%p2 st.shared.{type} [%rd5], 1;\n@!%p2 ld.shared.{type} %r3, [%rd5];", blocks: 2).Select(f => (f.Kind, f.Block.X)), Is.EqualTo(new[] { (PtxFaultKind.Uninitialised, 1) }), type);
    }

    [Test]
    public void NamesTheBufferTheBlockAndTheThread()
    {
        var fault = PtxProgram.Faults(".reg .b32 %r<3>; .reg .b64 %rd<4>; ld.param.b64 %rd1, [p]; mov.b32 %r1, %tid.x; mov.b32 %r2, %ctaid.x; mad.lo.s32 %r1, %r2, 64, %r1;\nmul.wide.u32 %rd2, %r1, 4; add.u64 %rd2, %rd1, %rd2; st.b32 [%rd2], 1;", 100, 64, 2).Single();
        Assert.That((fault.Block, fault.Thread), Is.EqualTo(((1, 0, 0), 36)));
        Assert.That(fault.ToString(), Does.Contain("byte 400 from the start of p, which has 400").And.Contain("block (1, 0, 0), thread 36").And.Contain($"line {PtxProgram.FirstLine + 1}"));
    }
}
