using System.Diagnostics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Every CUDA kernel of the table, compiled without a GPU: the driver alone is enough, and nothing goes through local memory.</summary>
[TestFixture]
public sealed class PtxAssembles
{
    private static readonly Lazy<OfflinePtx> Compiler = new(() => new OfflinePtx());

    public static IEnumerable<TestCaseData> Kernels()
        => KernelTable.All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct().Select(k => new TestCaseData(k).SetArgDisplayNames(k.Name));

    public static IEnumerable<TestCaseData> KernelsAndChips()
        => from kernel in KernelTable.All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct()
           from chip in new[] { "sm_80", "sm_90" }
           select new TestCaseData(kernel, chip).SetArgDisplayNames(kernel.Name, chip);

    [OneTimeTearDown]
    public void Close()
    {
        if (Compiler.IsValueCreated)
            Compiler.Value.Dispose();
    }

    [Test]
    public void EveryKernelHasItsOwnName()
        => Assert.That(KernelTable.All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct().Select(k => k.Name), Is.Unique);

    [Test]
    public void EveryCudaVariantNamesItsKernels()
    {
        foreach (var operation in KernelTable.All)
            foreach (var variant in operation.AllVariants)
                Assert.That(variant.Kernels.Count > 0, Is.EqualTo(variant.Kind is VariantKind.Simt or VariantKind.TensorCore), $"{operation.Name} {variant.Name}");
    }

    [TestCaseSource(nameof(Kernels))]
    public void Kernel_CompilesWithoutLibdeviceDoublesOrLocalMemory(SimtKernel kernel)
    {
        string ptx;
        lock (Compiler)
            ptx = Compiler.Value.Compile(kernel);
        Assert.Multiple(() =>
        {
            Assert.That(ptx, Does.Contain(".visible .entry"));
            Assert.That(ptx, Does.Not.Contain(".f64"), "a double would become a float on CUDA, silently");
            Assert.That(ptx, Does.Not.Contain(".extern .func"), "an unresolved function needs libdevice");
            Assert.That(ptx, Does.Not.Contain("__nv_"), "libdevice would need a CUDA toolkit on the user's machine");
            Assert.That(ptx, Does.Not.Contain(".local"), "local memory is slow global memory");
        });
    }

    [TestCaseSource(nameof(KernelsAndChips))]
    public void Kernel_AssemblesWithoutSpills(SimtKernel kernel, string chip)
    {
        if (FindAssembler() is not { } assembler)
        {
            Assert.Ignore("ptxas was not found in PTXAS, on the path, in a CUDA toolkit or in the shared tools.");
            return;
        }
        string source = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.ptx"), binary = Path.ChangeExtension(source, ".cubin");
        lock (Compiler)
            File.WriteAllText(source, Compiler.Value.Compile(kernel));
        try
        {
            var start = new ProcessStartInfo(assembler, ["-v", $"-arch={chip}", source, "-o", binary]) { RedirectStandardError = true, RedirectStandardOutput = true };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            string report = process.StandardError.ReadToEnd() + output.Result;
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, report);
            Assert.That(report, Does.Contain("0 bytes spill stores, 0 bytes spill loads"), report);
            Assert.That(report, Does.Contain("0 bytes stack frame"), report);
        }
        finally
        {
            File.Delete(source);
            File.Delete(binary);
        }
    }

    private static string? FindAssembler()
    {
        var places = new List<string?> { Environment.GetEnvironmentVariable("PTXAS") };
        places.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, "ptxas")));
        foreach (string variable in new[] { "CUDA_HOME", "CUDA_PATH" })
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } toolkit)
                places.Add(Path.Combine(toolkit, "bin", "ptxas"));
        places.Add("/usr/local/cuda/bin/ptxas");
        places.Add(SharedFolder.PathOf("tools", "ptxas"));
        return places.FirstOrDefault(p => p is { Length: > 0 } && File.Exists(p));
    }
}
