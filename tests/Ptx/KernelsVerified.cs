using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Every CUDA kernel keeps to the hardware's limits, and is what the committed expectations say.</summary>
[TestFixture, Parallelizable]
public sealed class KernelsVerified
{
    [Test]
    public void EveryKernelIsAsExpected()
    {
        var assembler = PtxAssembler.Find(SharedFolder.PathOf("tools", "ptxas") ?? "");
        var expected = KernelExpectations.Committed();
        using var verification = new KernelVerification(assembler);
        Assert.Multiple(() =>
        {
            foreach (var kernel in KernelTable.CudaKernels)
            {
                var (found, faults) = verification.Verify(kernel);
                Assert.That(faults, Is.Empty, kernel.Name);
                Assert.That(
                    KernelVerification.Difference(expected.Kernels.GetValueOrDefault(kernel.Name), found, assembler?.Version == expected.Assembler), Is.Null,
                    $"{kernel.Name}: if the change is wanted, `netvlad kernels verify --update src/App/Emitted/kernel-expectations.json` and commit it");
            }
        });
        Assert.That(expected.Kernels.Keys, Is.EquivalentTo(KernelTable.CudaKernels.Select(k => k.Name)));
    }

    [Test]
    public void ADifferenceIsTold()
    {
        var kernel = new VerifiedKernel(64, new KernelFacts(100, 0, 0, 0, new Dictionary<int, int> { [4] = 3 }), new Dictionary<string, ChipFacts> { ["sm_80"] = new(40, 0) });
        var other = kernel with { Ptx = kernel.Ptx with { GlobalAccesses = new Dictionary<int, int> { [16] = 3 } }, Chips = new Dictionary<string, ChipFacts> { ["sm_80"] = new(41, 0) } };
        Assert.That(KernelVerification.Difference(kernel, kernel, true), Is.Null);
        Assert.That(KernelVerification.Difference(null, kernel, true), Is.Not.Null);
        Assert.That(KernelVerification.Difference(kernel, other, true), Does.Contain("accesses of 16 bytes").And.Contain("41 registers for sm_80 instead of 40"));
        Assert.That(KernelVerification.Difference(kernel, other, false), Does.Not.Contain("registers"));
    }

    [TestCase("Used 40 registers, used 1 barriers, 4224 bytes smem", "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads", "", 40, 0, 0)]
    [TestCase("Used 255 registers", "16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads", "ptxas info : (C7514) Potential Performance Loss: wgmma.mma_async instructions are serialized", 255, 12, 1)]
    public void TheAssemblersReportIsUnderstood(string used, string spills, string remark, int registers, int spilled, int remarks)
    {
        var made = PtxAssembler.Read("sm_80", 0,
            $"ptxas info : Function properties for f\n 8 bytes stack frame, 1 bytes spill stores, 1 bytes spill loads\n{remark}\nptxas info : Compiling entry function 'k' for 'sm_80'\nptxas info : Function properties for k\n {spills}\nptxas info : {used}\n");
        Assert.That((made.Registers, made.SpillBytes, made.Remarks.Count), Is.EqualTo((registers, spilled, remarks)));
    }

    [Test]
    public void AKernelThatDoesNotAssembleIsTold()
        => Assert.That(PtxAssembler.Read("sm_80", 255, "ptxas x.ptx, line 7; error : Unknown symbol\nptxas fatal : aborted\n").Remarks, Has.Count.EqualTo(2));
}
