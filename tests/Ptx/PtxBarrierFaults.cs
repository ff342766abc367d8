using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>What must not be done, or left out, around mbarriers and copies of tensors: found at its line, and not in the program beside it that is right.</summary>
[TestFixture]
public sealed class PtxBarrierFaults
{
    private const string Expect = "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 1024;\n";

    private const string Copy = "@%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r1], [%rd2, {%r10, %r11}], [%r2];\n";

    private const string Read = "ld.shared.b32 %r5, [%r4];\n", Fence = "@%p1 fence.mbarrier_init.release.cluster;\n", Barrier = "bar.sync 0;\n";

    private static readonly string Wait = TensorProgram.Wait("w", 0) + "\n", Right = TensorProgram.Init + Fence + Barrier + Expect + Copy + Wait;

    /// <summary>Kind, what is wrong, the number of its line from 0 behind the registers, and what is right.</summary>
    private static IEnumerable<TestCaseData> Cases()
    {
        TestCaseData Case(string name, PtxFaultKind kind, string wrong, int line, string right) => new TestCaseData(kind, wrong, line, right).SetName(name);
        string made = TensorProgram.Init + Fence + Barrier, copied = made + Expect + Copy;
        yield return Case("ReadWithoutAWait", PtxFaultKind.PendingCopy, copied + Read + Wait, 5, Right + Read);
        yield return Case("WaitForTheOtherParity", PtxFaultKind.PendingCopy, copied + TensorProgram.Wait("w", 1) + "\n" + Read + TensorProgram.Wait("v", 0), 6, Right + Read);
        yield return Case("TheSecondRoundsParityIsTheFirsts", PtxFaultKind.PendingCopy,
            Right + Barrier + Expect + Copy + TensorProgram.Wait("v", 0) + "\n" + Read + TensorProgram.Wait("u", 1), 10, Right + Barrier + Expect + Copy + TensorProgram.Wait("v", 1) + "\n" + Read);
        yield return Case("MoreBytesExpectedThanCome", PtxFaultKind.Deadlock, made + Expect.Replace("1024", "1152") + Copy + Wait + Read, 5, Right + Read);
        yield return Case("FewerBytesExpectedThanCome", PtxFaultKind.PendingCopy, made + Expect.Replace("1024", "512") + Copy + Wait + Read.Replace("[%r4]", "[%r4+768]"), 6, Right + Read.Replace("[%r4]", "[%r4+768]"));
        yield return Case("NoBytesExpected", PtxFaultKind.PendingCopy, made + "@%p1 mbarrier.arrive.shared::cta.b64 _, [%r2];\n" + Copy + Wait + Read, 6, Right + Read);
        yield return Case("NobodyArrives", PtxFaultKind.Deadlock, made + "@%p1 mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r2], 1024;\n" + Copy + Wait, 5, Right);
        yield return Case("TheBlockEndsTooEarly", PtxFaultKind.PendingCopy, copied, 4, Right);
        yield return Case("AMisalignedTile", PtxFaultKind.Misaligned, made + Expect + Copy.Replace("[%r1]", "[%r1+64]") + Wait, 4, Right.Replace("[%r1], [%rd2", "[%r1+128], [%rd2"));
        yield return Case("AMisalignedMap", PtxFaultKind.Misaligned, made + Expect + Copy.Replace("[%rd2,", "[%rd2+16,") + Wait, 4, Right);
        yield return Case("NoMap", PtxFaultKind.TensorMap, made + Expect + Copy.Replace("[%rd2,", "[%rd1,") + Wait, 4, Right);
        yield return Case("AMapOfAnotherKind", PtxFaultKind.TensorMap, made + Expect + Copy.Replace("2d", "3d").Replace("%r11}", "%r11, %r12}") + Wait, 4, Right);
        string another = "setp.eq.s32 %p6, %r0, 1; ", anothers = Copy.Replace("@%p1", "@%p6");
        yield return Case("AMapThatTheThreadDidNotAcquire", PtxFaultKind.Unfenced, made + Expect + another + anothers + Wait, 4, made + Expect + another + "@%p6 fence.proxy.tensormap::generic.acquire.sys [%rd2], 128;\n" + anothers + Wait);
        yield return Case("BehindSharedMemory", PtxFaultKind.OutOfBounds, made + Expect + Copy.Replace("[%r1]", "[%r1+7680]") + Wait, 4, Right.Replace("[%r1], [%rd2", "[%r1+7168], [%rd2"));
        yield return Case("NoFenceBehindInit", PtxFaultKind.Unfenced, TensorProgram.Init + Barrier + Expect + Copy + Wait, 3, Right);
        yield return Case("NoBarrierBehindInit", PtxFaultKind.Race, TensorProgram.Init + Fence + Expect + Copy + Wait, 4, Right);
        yield return Case("NoInit", PtxFaultKind.Barrier, Expect + Copy + Wait, 0, Right);
        yield return Case("NoFenceBehindAWrite", PtxFaultKind.Unfenced, made + "st.shared.b32 [%r4], 1;\n" + Barrier + Expect + Copy + Wait, 6, made + "st.shared.b32 [%r4], 1; fence.proxy.async;\n" + Barrier + Expect + Copy + Wait);
        yield return Case("OverwrittenWhileOthersRead", PtxFaultKind.Race,
            Right + Read + Expect + Copy + TensorProgram.Wait("v", 1), 8, Right + Read + Barrier + Expect + Copy + TensorProgram.Wait("v", 1));
        yield return Case("ToldByAThreadThatDidNotWait", PtxFaultKind.Race, Told(by: 1), 9, Told(by: 0));
        string behind = "setp.lt.s32 %p4, %r0, 32; @%p4 bra end;\n" + Wait + "ld.shared.b32 %r5, [%r1];\nend: ret;", arrive = "@%p1 mbarrier.arrive.shared::cta.b64 _, [%r2];\n", write = "@%p1 st.shared.b32 [%r1], 1;\n";
        yield return Case("WrittenBehindTheArrival", PtxFaultKind.Race, made + arrive + write + behind, 7, made + write + arrive + behind);
        yield return Case("OneArrivalTooMany", PtxFaultKind.Barrier,
            made + "@%p1 mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r2], 16;\nmbarrier.arrive.shared::cta.b64 _, [%r2];\n", 4, made + "@%p1 mbarrier.arrive.shared::cta.b64 _, [%r2];\n");
        yield return Case("MemoryOfAnMbarrierWritten", PtxFaultKind.Barrier, made + "@%p1 st.shared.b32 [%r2+4], 1;\n", 3, made + "@%p1 mbarrier.inval.shared::cta.b64 [%r2];\n@%p1 st.shared.b32 [%r2+4], 1;\n");
        yield return Case("MadeTwice", PtxFaultKind.Barrier, made + TensorProgram.Init, 3, made + "@%p1 mbarrier.inval.shared::cta.b64 [%r2];\n" + TensorProgram.Init);
    }

    /// <summary>Thread 0 waits for the copy; the second warp reads when a thread of the first has told it to.</summary>
    private static string Told(int by)
        => TensorProgram.Init + "@%p1 mbarrier.init.shared::cta.b64 [%r2+8], 1; " + Fence + Barrier + Expect + Copy + "@!%p1 bra on;\n" + Wait
            + $"on: setp.eq.s32 %p3, %r0, {by}; @%p3 mbarrier.arrive.shared::cta.b64 _, [%r2+8]; setp.lt.s32 %p4, %r0, 32; @%p4 bra end;\n" + TensorProgram.Wait("v", 0, "%r2+8") + "\n" + Read + "end: ret;";

    [TestCaseSource(nameof(Cases))]
    public void IsFound(PtxFaultKind kind, string wrong, int line, string right)
    {
        var faults = TensorProgram.Faults(TensorProgram.Registers + wrong, Numbers, Map);
        Assert.That(faults, Is.Not.Empty);
        Assert.That((faults[0].Kind, faults[0].Line), Is.EqualTo((kind, TensorProgram.FirstLine + line)), faults[0].ToString());
        Assert.That(TensorProgram.Faults(TensorProgram.Registers + right, Numbers, Map), Is.Empty);
    }

    private static readonly int[] Numbers = [.. Enumerable.Range(0, 1024)];

    private static TensorMap Map(ulong address) => new() { Address = address, ElementBytes = 4, Sizes = [32, 32], Strides = [128], Box = [32, 8], ElementStrides = [1, 1], Swizzle = 128 };
}
