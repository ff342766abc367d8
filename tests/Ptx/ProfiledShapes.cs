using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using IlgpuNetVlad.Tests.App;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Kernels are counted on any shape, and some blocks of a large grid stand for all.</summary>
[TestFixture, Parallelizable]
public sealed class ProfiledShapes
{
    private const string Bf16 = "gemm.bf16-128x128x32";

    /// <summary>16 tiles, none of which is cut at an edge.</summary>
    private const string Tiles = "M=512,N=512,K=96,TransposeA=0,TransposeB=1";

    [Test]
    public void EvenBlocks_StandForAll()
    {
        var all = Profiled(Bf16, Tiles, blocks: 1000);
        var some = Profiled(Bf16, Tiles, blocks: 3);
        Assert.That((all.Blocks, all.BlocksRun, some.Blocks, some.BlocksRun), Is.EqualTo((16, 16, 16, 3)));
        Assert.That(some.Profile.Total, Is.EqualTo(all.Profile.Total));
        Assert.That(some.Profile.Lines.Select(l => l.Count), Is.EqualTo(all.Profile.Lines.Select(l => l.Count)));
        Assert.That(Products(all), Is.EqualTo(2L * 512 * 512 * 96));
    }

    /// <summary>The middles of equal parts of a grid of 5×2×3, each thread's index in the order of the grid; and their counts, times 30 / 4.</summary>
    [Test]
    public void BlocksThatRun_AreSpreadOverTheGrid()
    {
        const string Body = """
                .reg .b32 %r<9>;
                .reg .b64 %rd<4>;
                ld.param.b64 %rd1, [p];
                mov.b32 %r1, %ctaid.x;
                mov.b32 %r2, %ctaid.y;
                mov.b32 %r3, %ctaid.z;
                mad.lo.s32 %r4, %r3, 2, %r2;
                mad.lo.s32 %r4, %r4, 5, %r1;
                mul.wide.u32 %rd2, %r4, 4;
                add.u64 %rd3, %rd1, %rd2;
                st.global.b32 [%rd3], 1;
                ret;
            """;
        var memory = new GlobalMemory();
        ulong address = memory.Allocate<int>("p", new int[30]);
        var told = new List<(long, long)>();
        var count = new PtxExecutor(PtxProgram.Kernel(Body)).Run(new PtxLaunch((5, 2, 3), (1, 1, 1)) { MostBlocks = 4 }, BitConverter.GetBytes(address), memory, counted: true, (done, total) => told.Add((done, total)));
        Assert.That(memory.Values<int>(address, 30).ToArray().Index().Where(b => b.Item == 1).Select(b => b.Index), Is.EqualTo(new[] { 3, 11, 18, 26 }));
        Assert.That(told, Is.EqualTo(new[] { (0L, 4L), (1, 4), (2, 4), (3, 4), (4, 4) }));
        Assert.That(count!.Instructions.Select(i => i.Of(count.Blocks, count.BlocksRun).Threads).Take(10), Has.All.EqualTo(30));
    }

    /// <summary>A row and a column of tiles more, of which a row and a column are used: products of whole tiles, and as many blocks as the grid has.</summary>
    [Test]
    public void AShape_NamesWhatIsOtherThanInTheExample()
    {
        var run = Profiled(Bf16, "m=513,N=513,K=96,TransposeA=0,TransposeB=1", blocks: 1000);
        Assert.That(run.Problem, Is.EqualTo(new GemmShape(513, 513, 96, 0, 1)));
        Assert.That(Products(run), Is.EqualTo(2L * 640 * 640 * 96));
    }

    [Test]
    public void AShapeWithinAnother_IsFound()
    {
        var run = Profiled("convolution.forward-pixels.bf16-taps-128x64x32", "B=1,H=9,W=130,Oc=64,R=3,S=3,Stride=1,Padding=1", blocks: null);
        Assert.That(run.Problem, Is.InstanceOf<PixelConvolutionShape>());
        var shape = ((PixelConvolutionShape)run.Problem).Convolution;
        Assert.That((shape.B, shape.H, shape.W, shape.Ic, shape.Oc, shape.R, shape.Padding), Is.EqualTo((1, 9, 130, 3, 64, 3, 1)));
    }

    /// <summary>x and w come through tensor maps, and count as if they were views: in bf16, with y in fp32 and a bias.</summary>
    [Test]
    public void TensorsBehindMaps_HaveToMoveToo()
    {
        var run = Profiled("convolution.forward.wgmma-tma-256x128x64", "B=1,H=32,W=32,Ic=64,Oc=128,R=3,S=3,Stride=1,Padding=1,Groups=1,Relu=0,HasBias=1,Beside=0,XBf16=1,YBf16=0", blocks: 1);
        const long X = 2 * 32 * 32 * 64, W = 2 * 9 * 64 * 128, Y = 4 * 32 * 32 * 128, Bias = 4 * 128;
        Assert.That(run.ArgumentBytes, Is.InRange(X + W + Y + Bias, X + W + Y + Bias + 1024), "and the maps themselves at the most");
    }

    /// <summary>A GPU's work: 1200 blocks, of which eight run.</summary>
    [Test]
    public void TheCommandCountsALayerOfVgg16()
    {
        var json = Netvlad.Run("kernels", "profile", "convolution.forward.bf16-128x128x32", "--shape", "B=8,H=60,W=80,Ic=256,Oc=512,R=3,S=3,Stride=1,Padding=1,XBf16=1,YBf16=1", "--blocks", "2", "--json").Done().Json();
        Assert.That((json.GetProperty("blocks").GetInt64(), json.GetProperty("blocksRun").GetInt64()), Is.EqualTo((1200, 2)));
        double products = json.GetProperty("roofs").EnumerateArray().Single(r => r.GetProperty("what").GetString() == "tensor cores").GetProperty("seconds").GetDouble();
        var chip = Chip.All.Single(c => c.Name == "H100");
        Assert.That(products, Is.EqualTo(2.0 * 8 * 60 * 80 * 512 * 256 * 9 / (chip.Bf16Tflops * 1e12)).Within(1e-6).Percent);
    }

    [TestCase(Bf16, "M", ExpectedResult = "'M' is no NAME=NUMBER; --shape takes such, with commas between them.")]
    [TestCase(Bf16, "M=1.5", ExpectedResult = "'M=1.5' is no NAME=NUMBER; --shape takes such, with commas between them.")]
    [TestCase(Bf16, "H=3", ExpectedResult = "gemm has no 'H'; it has M, N, K, TransposeA, TransposeB, Exact.")]
    [TestCase(Bf16, "M=9,N=0,K=8,TransposeB=1", ExpectedResult = "gemm GemmShape { M = 9, N = 0, K = 8, TransposeA = 1, TransposeB = 1, Exact = 0 }: M must not be negative and N, K must be 1 or more.")]
    [TestCase(Bf16, "M=9,N=7,K=8,TransposeB=1,Exact=1", ExpectedResult = "bf16-128x128x32 does not compute gemm GemmShape { M = 9, N = 7, K = 8, TransposeA = 1, TransposeB = 1, Exact = 1 }: rounds its inputs.")]
    [TestCase("search.distances.simt-32x32x16", "D=5", 3, ExpectedResult = "What search.nearest does depends on its data, so some blocks say little of the others: leave --blocks out.")]
    public string WhatIsNoShape_IsToldBefore(string kernel, string shape, int? blocks = null) => Assert.Throws<UserErrorException>(() => Profiled(kernel, shape, blocks))!.Message;

    [Test]
    public void AShapeThatDoesNotFit_IsToldBefore()
        => Assert.That(Assert.Throws<UserErrorException>(() => Profiled(Bf16, "M=32768,N=32768,K=65535", null))!.Message, Does.EndWith("take a smaller shape.").And.Contain("GB"));

    private static long Products(ProfiledRun run) => run.Profile.Lines.Where(l => l.Kind == InstructionKind.Bf16Product).Sum(l => l.Count.Flops);

    private static ProfiledRun Profiled(string kernel, string shape, int? blocks) => ProfiledRun.Of(KernelTable.CudaKernels.Single(k => k.Name == kernel), null, shape, blocks);
}
