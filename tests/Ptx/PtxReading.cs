using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>PTX is read completely: every kernel of the table is understood, and what is not understood is an error with its line.</summary>
[TestFixture]
public sealed class PtxReading
{
    [Test]
    public void EveryKernelOfTheTableIsUnderstood()
    {
        using var compiler = new OfflinePtx();
        foreach (var kernel in KernelTable.CudaKernels)
        {
            string ptx = compiler.Compile(kernel);
            var module = PtxModule.Parse(ptx);
            Assert.That(module.Kernels, Has.Count.EqualTo(1), kernel.Name);
            Assert.That(() => new PtxExecutor(module.Kernels[0]), Throws.Nothing, kernel.Name);
            // One semicolon an instruction, but for declarations and the braces of scopes: none was left out.
            int body = ptx.Split('\n').SkipWhile(l => !l.Contains(".entry")).SkipWhile(l => l != "{").Count(l => l.Contains(';') && !".{}".Contains(l.TrimStart()[0]));
            Assert.That(module.Kernels[0].Instructions, Has.Count.EqualTo(body), kernel.Name);
        }
    }

    [Test]
    public void ScopesDeclareRegistersOfTheirOwn()
    {
        var kernel = PtxProgram.Kernel("""
                .reg .b32 %r<3>;
                mov.b32 %r1, 1;
                { .reg .b32 %r<2>, extra;
                  mov.b32 %r1, 2;
                  mov.b32 extra, %r1;
                } //;
                mov.b32 %r2, %r1;
            """);
        var outer = (PtxRegister)kernel.Instructions[0].Operands[0];
        Assert.That(kernel.Instructions[1].Operands[0], Is.Not.EqualTo(outer));
        Assert.That(kernel.Instructions[3].Operands[1], Is.EqualTo(outer));
    }

    [TestCase("frob.s32 %r1, %r1;", "frob.s32")]
    [TestCase("add.s32 %r1, %r1;", "few operands")]
    [TestCase("add.s32 %r1, %r1, %nothing;", "%nothing")]
    [TestCase("mov.b32 %r1, %r9;", "%r9")]
    [TestCase("bra nowhere;", "nowhere")]
    [TestCase("bar.sync 1;", "barrier 0")]
    [TestCase("ld.param.b32 %r1, [p+8];", "8 bytes")]
    [TestCase("cp.async.cg.shared.global [%r1], [%r1], 8;", "not 8")]
    [TestCase("call f;", "call")]
    [TestCase("mov.b32 %r1 %r1;", "%r1")]
    [TestCase(".frob;", ".frob")]
    [TestCase("mov.b32 %r1, 0f123;", "0f123")]
    public void WhatIsNotKnownIsAnErrorWithItsLine(string statement, string named)
    {
        var e = Assert.Throws<PtxSyntaxException>(() => new PtxExecutor(PtxProgram.Kernel($".reg .b32 %r<4>;\n{statement}")))!;
        Assert.That(e.Line, Is.EqualTo(PtxProgram.FirstLine + 1));
        Assert.That(e.Message, Does.Contain(named));
    }
}
