using System.Globalization;
using System.Runtime.CompilerServices;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;

namespace IlgpuNetVlad.Kernels;

/// <summary>A kernel as ILGPU compiles it: its PTX, and the shared memory that it declares there.</summary>
internal sealed record EmittedKernel(string Text, int SharedBytes, bool HasDynamicShared)
{
    private const string Mark = "// kept by IlgpuNetVlad";

    /// <summary>Compiles it; seconds for the larger ones.</summary>
    public static EmittedKernel Compile(SimtKernel kernel, PTXBackend backend)
    {
        var compiled = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), kernel.Bounds);
        string text = EntryNames.Renamed(compiled, kernel);
        if (kernel.Hopper)
            text = HopperTarget.Rewrite(text, kernel.CopiesTensors);
        var shared = EntryOf(compiled).SharedMemory;
        return new(text, shared.StaticSize, shared.HasDynamicMemory);
    }

    /// <summary>As a file keeps it: the text behind a line of the rest, with the digest of the text.</summary>
    public string Written() => string.Create(CultureInfo.InvariantCulture, $"{Mark} {SharedBytes} {(HasDynamicShared ? 1 : 0)} {KeptKernels.Digest(Text)}\n{Text}");

    /// <summary>What a file keeps; null where it is not whole.</summary>
    public static EmittedKernel? Read(string file)
    {
        int end = file.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0 || !file.StartsWith(Mark + " ", StringComparison.Ordinal))
            return null;
        string text = file[(end + 1)..];
        return file[(Mark.Length + 1)..end].Split(' ') is [var shared, ("0" or "1") and var isDynamic, var digest]
            && int.TryParse(shared, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) && digest == KeptKernels.Digest(text) ? new(text, bytes, isDynamic == "1") : null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<EntryPoint>k__BackingField")]
    private static extern ref EntryPoint EntryOf(CompiledKernel kernel);
}
