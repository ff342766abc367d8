using System.Text.RegularExpressions;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using IlgpuNetVlad.Tests.App;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>What is counted, on accesses whose counts are known by hand, and what becomes of the counts.</summary>
[TestFixture]
public sealed class PtxCounts
{
    private static KernelProfile Profile(string access, int blocks = 1)
    {
        string text = $$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .visible .entry k(.param .b64 p)
            {
            .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .pred %p<3>; .shared .align 16 .b8 s[8192];
            ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mov.b64 %rd2, s; mov.f32 %f1, 0f3F800000; setp.lt.u32 %p1, %r0, 8;
            {{access}}
            }
            """;
        var kernel = PtxModule.Parse(text).Kernels[0];
        var memory = new GlobalMemory();
        byte[] parameters = BitConverter.GetBytes(memory.Allocate("p", 8192));
        return new(text, kernel, [new PtxExecutor(kernel).Run(new PtxLaunch((blocks, 1, 1), (32, 1, 1)), parameters, memory, counted: true)!]);
    }

    [TestCase(4, "ld.global.b32 %r1, [%rd3];", 4, TestName = "Coalesced_IsFourSectors")]
    [TestCase(16, "ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd3];", 16, TestName = "SixteenBytesEach_IsSixteenSectors")]
    [TestCase(32, "ld.global.b32 %r1, [%rd3];", 32, TestName = "Scattered_IsASectorEach")]
    [TestCase(0, "ld.global.b32 %r1, [%rd3];", 1, TestName = "OneAddress_IsOneSector")]
    [TestCase(4, "@%p1 st.global.b32 [%rd3], %r0;", 1, TestName = "EightThreads_AreOneSector")]
    public void Sectors(int stride, string access, int sectors)
    {
        var total = Profile($"mul.wide.u32 %rd3, %r0, {stride}; add.u64 %rd3, %rd1, %rd3; {access}").Total;
        Assert.That((total.GlobalRequests, total.GlobalSectors), Is.EqualTo((1, sectors)));
    }

    [TestCase(4, "st.shared.b32 [%rd3], %r0;", 1, 1)]
    [TestCase(8, "st.shared.b32 [%rd3], %r0;", 2, 1)]
    [TestCase(128, "st.shared.b32 [%rd3], %r0;", 32, 1)]
    [TestCase(132, "st.shared.b32 [%rd3], %r0;", 1, 1)]
    [TestCase(16, "st.shared.v4.b32 [%rd3], {%r0, %r0, %r0, %r0};", 4, 4)]
    [TestCase(32, "st.shared.v4.b32 [%rd3], {%r0, %r0, %r0, %r0};", 8, 4)]
    [TestCase(8, "st.shared.v2.b32 [%rd3], {%r0, %r0};", 2, 2)]
    [TestCase(144, "st.shared.v4.b32 [%rd3], {%r0, %r0, %r0, %r0}; bar.sync 0; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, %r2, %r3, %r4}, [%rd3];", 8, 8)]
    public void BankPasses(int stride, string access, int passes, int least)
    {
        var total = Profile($"mul.wide.u32 %rd3, %r0, {stride}; add.u64 %rd3, %rd2, %rd3; {access}").Total;
        Assert.That((total.SharedPasses, total.SharedLeastPasses), Is.EqualTo((passes, least)));
    }

    [Test]
    public void WorkIsCountedByThreadsAndWarps()
    {
        var profile = Profile("fma.rn.f32 %f2, %f1, %f1, %f1;\n@%p1 add.f32 %f2, %f1, %f1;\nmma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};\nbar.sync 0;", blocks: 3);
        Assert.That(profile.Total.Flops, Is.EqualTo(3 * (32 * 2 + 8 + 2 * 16 * 8 * 16)));
        Assert.That(profile.Barriers, Is.EqualTo(3));
        Assert.That(profile.Kinds[InstructionKind.Bf16Product], Is.EqualTo(3));
        Assert.That(profile.Lines[^3].Count.Threads, Is.EqualTo(3 * 8));
        Assert.That(profile.Lines[^2].Text, Does.StartWith("mma.sync"));
    }

    [Test]
    public void TheRoofIsWhatTakesLongest()
    {
        var chip = new Chip("c", "c", 1, 1, Fp32Tflops: 1, Bf16Tflops: 1, Tf32Tflops: 1, MemoryGBs: 1);
        var roofs = Profile("mul.wide.u32 %rd3, %r0, 128; add.u64 %rd3, %rd2, %rd3; st.shared.b32 [%rd3], %r0; fma.rn.f32 %f2, %f1, %f1, %f1;").Roofs(chip, leastBytes: 31);
        Assert.That(roofs.ToDictionary(r => r.What, r => r.Seconds * 1e9), Is.SupersetOf(new Dictionary<string, double>
        {
            ["banks of shared memory"] = 32, ["memory, every buffer once"] = 31, ["fp32 cores"] = 0.064, ["tensor cores"] = 0, ["second-level cache, every sector"] = 0,
        }).Using<KeyValuePair<string, double>>((x, y) => x.Key == y.Key && Math.Abs(x.Value - y.Value) < 1e-9));
        Assert.That(roofs[0].What, Is.EqualTo("banks of shared memory"));
    }

    /// <summary>One multiprocessor at 1 GHz: a warp's store of 32 floats, four sectors, at 64 bytes a cycle, or at the 0.016 TB/s that are reported.</summary>
    [TestCase(null, 2e-9)]
    [TestCase(0.016, 8e-9)]
    public void TheCacheIsAsFastAsIsReported(double? reported, double seconds)
    {
        var chip = new Chip("c", "c", 1, 1, Fp32Tflops: 1, Bf16Tflops: 1, Tf32Tflops: 1, MemoryGBs: 1, CacheTBs: reported);
        var profile = Profile("mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd1, %rd3; st.global.b32 [%rd3], %r0;");
        Assert.That(profile.Roofs(chip, leastBytes: 0).Single(r => r.What.StartsWith("second-level", StringComparison.Ordinal)).Seconds, Is.EqualTo(seconds).Within(1e-6).Percent);
        Assert.That(profile.Lines.Max(l => l.Cycles(chip)), Is.EqualTo(seconds * 1e9).Within(1e-6).Percent);
    }

    /// <summary>Peaks that were published twice, as products of cores and clock and as a figure, agree.</summary>
    [Test]
    public void ChipsArePlausible()
    {
        Assert.That(Chip.All.Select(c => c.Name), Is.EquivalentTo(new[] { "A100", "H100", "H200", "RTX4090" }));
        foreach (var chip in Chip.All)
        {
            // 64 fp32 cores a multiprocessor on A100, 128 on the others.
            double cores = chip.Fp32Tflops * 1e12 / (2 * chip.CyclesPerSecond);
            Assert.That(cores, Is.EqualTo(chip.Name == "A100" ? 64 : 128).Within(1).Percent, chip.Name);
            Assert.That(chip.Tf32Tflops, Is.EqualTo(chip.Bf16Tflops / 2).Within(0.1).Percent, chip.Name);
        }
    }

    [Test]
    public void TheCommandTellsAKernelsWork()
    {
        var json = Netvlad.Run("kernels", "profile", "addition.simt", "--example", "2", "--chip", "A100", "--json").Done().Json();
        var counts = json.GetProperty("counts");
        long flops = counts.GetProperty("flops").GetInt64();
        Assert.That(flops, Is.GreaterThan(0));
        Assert.That(json.GetProperty("leastBytes").GetInt64(), Is.EqualTo(8 * flops), "two buffers of floats, one addition an element");
        Assert.That(counts.GetProperty("globalBytes").GetInt64(), Is.EqualTo(12 * flops), "two loads and a store an element");
        Assert.That(json.GetProperty("roofs").GetArrayLength(), Is.EqualTo(6));
        Assert.That(Netvlad.Run("kernels", "profile", "addition.simt").Done().Output, Does.Contain("sectors a request"));
    }

    /// <summary>A line of wgmma names 64 accumulators, and no console is so wide.</summary>
    [Test]
    public void TheCommandPrintsTheTextAsItIs()
    {
        using var compiler = new OfflinePtx();
        string text = compiler.Compile(KernelTable.CudaKernels.Single(k => k.Name == "convolution.backward-data.wgmma-256x128x64"));
        Assert.That(text.Split('\n').Max(l => l.Length), Is.GreaterThan(300));
        // ILGPU numbers labels by what a process compiled before.
        static string[] Lines(string ptx) => Regex.Replace(ptx, @"(?<=[A-Za-z]_)\d+", "").Split('\n');
        Assert.That(Lines(Netvlad.Run("kernels", "ptx", "convolution.backward-data.wgmma-256x128x64").Done().Output), Is.EqualTo(Lines(text + Environment.NewLine)));
    }

    [Test]
    public void TheCommandRefusesWhatIsNotThere()
    {
        Assert.That(Netvlad.Run("kernels", "profile", "no-such").Refused(), Does.Contain("kernels list"));
        Assert.That(Netvlad.Run("kernels", "profile", "addition.simt", "--example", "99").Refused(), Does.Contain("examples 0 to"));
        Assert.That(Netvlad.Run("kernels", "ptx", "no-such").Refused(), Does.Contain("kernels list"));
    }
}
