using IlgpuNetVlad.Kernels;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>What is kept from one start to the next, and that nothing else is: whether a GPU's kernels agreed, and that they need not be compiled.</summary>
[TestFixture, NonParallelizable]
public sealed class KeptChecks
{
    private static readonly DeviceCheckRow Right = new("operation", "variant", "problem", 1e-7, 1e-6), Wrong = Right with { Error = 1 };

    /// <summary>That no other test compiles for.</summary>
    private static readonly PtxTarget Chip = new(CudaArchitecture.SM_61, CudaInstructionSet.ISA_60);

    private string folder = null!;
    private string? before;

    [SetUp]
    public void Begin()
    {
        before = KeptKernels.Folder;
        KeptKernels.Folder = folder = Directory.CreateTempSubdirectory("netvlad").FullName;
    }

    [TearDown]
    public void End()
    {
        KeptKernels.Folder = before;
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void WhatAgreed_IsFound_ByTheSameChipAndDriverAlone()
    {
        using (var device = Driven.Open())
        {
            Assert.That(KeptCheck.Find(device), Is.Null, "nothing is kept yet");
            KeptCheck.Keep(device, [Right, Right]);
            Assert.That(KeptCheck.Find(device)?.Checks, Is.EqualTo(2));
            Assert.That(KeptCheck.Find(device)?.Utc, Is.EqualTo(DateTime.UtcNow).Within(TimeSpan.FromMinutes(1)));
        }
        using (var same = Driven.Open(Precision.Bf16))
            Assert.That(KeptCheck.Find(same)?.Checks, Is.EqualTo(2), "precision chooses among kernels that were all compared");
        using (var driver = Driven.Open(version: 12020))
            Assert.That(KeptCheck.Find(driver), Is.Null, "another driver");
        using (var chip = Driven.Open(chip: "A100"))
            Assert.That(KeptCheck.Find(chip), Is.Null, "another chip");
    }

    [Test]
    public void WhatDidNotAgree_IsForgotten()
    {
        using var device = Driven.Open();
        KeptCheck.Keep(device, [Right]);
        KeptCheck.Keep(device, [Right, Wrong]);
        Assert.That(KeptCheck.Find(device), Is.Null);
    }

    [Test]
    public void WhatIsOldOrBroken_IsNone()
    {
        using var device = Driven.Open();
        KeptCheck.Keep(device, [Right]);
        string file = Directory.GetFiles(folder, "agrees-*", SearchOption.AllDirectories).Single(), whole = File.ReadAllText(file);
        foreach (string text in new[] { "", whole[..^2], whole.Replace("1 checks", "no checks", StringComparison.Ordinal), $"1 checks agreed on {DateTime.UtcNow - KeptCheck.MostAge:u}\n", $"1 checks agreed on {DateTime.UtcNow.AddDays(2):u}\n" })
        {
            File.WriteAllText(file, text);
            Assert.That(KeptCheck.Find(device), Is.Null, text);
        }
        File.WriteAllText(file, whole);
        Assert.That(KeptCheck.Find(device)?.Checks, Is.EqualTo(1));
    }

    [Test]
    public void OfTheProcessor_OrWithoutAFolder_NothingIsKept()
    {
        using (var processor = Device.Cpu())
        {
            KeptCheck.Keep(processor, [Right]);
            Assert.That((KeptCheck.Find(processor), Directory.GetFileSystemEntries(folder).Length), Is.EqualTo(((ValueTuple<int, DateTime>?)null, 0)));
        }
        using var device = Driven.Open();
        KeptKernels.Folder = null;
        KeptCheck.Keep(device, [Right]);
        Assert.That(KeptCheck.Find(device), Is.Null);
    }

    /// <summary>The comparison itself, of minutes on this driver, is doctor's; here what it kept is believed.</summary>
    [Test]
    public void Auto_BelievesWhatWasKept()
    {
        using (var device = Driven.Open())
            KeptCheck.Keep(device, [Right, Right, Right]);
        var choice = Engine.DeviceChoice.Open("auto");
        using var chosen = choice.Device;
        Assert.That((chosen.Kind, choice.Checks.Count), Is.EqualTo((DeviceKind.Cuda, 0)));
        Assert.That(choice.Reason, Does.Contain($"all 3 kernel checks agreed with the processor on {DateTime.Now:yyyy-MM-dd}"));
    }

    [Test]
    public void TheFirstCompilation_IsTold_AndNoOther()
    {
        int told = 0;
        KeptKernels.FirstCompilation = () => told++;
        using var compiler = new OfflinePtx(Chip);
        var kernels = KernelTable.CudaKernels.Where(k => k.Name.Contains("addition", StringComparison.Ordinal) || k.Name.Contains("sgd", StringComparison.Ordinal)).Take(2).ToArray();
        Assert.That(kernels, Has.Length.EqualTo(2));
        compiler.Emit(kernels[0]);
        Assert.That(told, Is.EqualTo(1));
        compiler.Emit(kernels[1]);
        compiler.Emit(kernels[0]);
        Assert.That((told, KeptKernels.FirstCompilation), Is.EqualTo((1, (Action?)null)));

        KeptKernels.FirstCompilation = () => told++;
        Assert.That((KeptKernels.Find(kernels[0], Chip), told), Is.EqualTo((compiler.Emit(kernels[0]), 1)), "it was kept");
        KeptKernels.FirstCompilation = null;
    }
}
