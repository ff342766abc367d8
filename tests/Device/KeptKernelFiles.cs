using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Compiled kernels in files: whole ones are read, all others are as if they were not there.</summary>
[TestFixture, Parallelizable]
public sealed class KeptKernelFiles
{
    private static readonly EmittedKernel Kernel = new(".version 7.0\n.target sm_80\n// …\n", 1234, HasDynamicShared: true);

    [Test]
    public void WhatIsWritten_IsRead() => Assert.That(EmittedKernel.Read(Kernel.Written()), Is.EqualTo(Kernel));

    [Test]
    public void AFileThatIsNotWhole_IsNone([Values(0, 5, 30, 50, 90)] int length) => Assert.That(EmittedKernel.Read(Kernel.Written()[..length]), Is.Null);

    [Test]
    public void AFileThatWasChanged_IsNone()
    {
        Assert.That(EmittedKernel.Read(Kernel.Written().Replace("sm_80", "sm_81", StringComparison.Ordinal)), Is.Null);
        Assert.That(EmittedKernel.Read(Kernel.Written().Replace(" 1 ", " 2 ", StringComparison.Ordinal)), Is.Null);
    }

    /// <summary>On Linux what .NET digests with is OpenSSL, without which the process ends; a GPU's machine may be a small container.</summary>
    [Test]
    public void NothingHere_NeedsOpenSsl()
        => Assert.That(
            new[] { typeof(KeptKernels).Assembly, typeof(ILGPU.Context).Assembly }.SelectMany(a => a.GetReferencedAssemblies()).Select(a => a.Name), Has.None.StartsWith("System.Security.Cryptography"));
}
