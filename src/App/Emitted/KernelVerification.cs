using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>Checks every CUDA kernel of the table against the hardware's limits and against what is expected of it.</summary>
internal sealed class KernelVerification : IDisposable
{
    private const int ThreadsOfBlock = 1024, StaticSharedBytes = 48 * 1024, HopperSharedBytes = 227 * 1024;

    private readonly OfflinePtx compiler = new();
    private readonly IReadOnlyDictionary<SimtKernel, int> threads = LaunchShapes.OfTable();
    private readonly PtxAssembler? assembler;

    public KernelVerification(PtxAssembler? assembler) => this.assembler = assembler;

    private static readonly string[] Chips = ["sm_80", "sm_90"], HopperChips = ["sm_90a"];

    /// <summary>Every chip for which some kernel is assembled.</summary>
    public static IReadOnlyList<string> AllChips { get; } = [.. Chips, .. HopperChips];

    /// <summary>Those for which a kernel is assembled.</summary>
    private static string[] ChipsOf(SimtKernel kernel) => kernel.Hopper ? HopperChips : Chips;

    /// <summary>What a kernel is, and what is wrong with it.</summary>
    public (VerifiedKernel Kernel, IReadOnlyList<string> Faults) Verify(SimtKernel kernel)
    {
        string text = compiler.Compile(kernel);
        var entry = PtxModule.Parse(text).Kernels[0];
        var facts = KernelFacts.Of(entry);
        int group = threads.GetValueOrDefault(kernel);
        var faults = new List<string>();
        try
        {
            _ = new PtxExecutor(entry);
        }
        catch (PtxSyntaxException e)
        {
            faults.Add(e.Message);
        }
        Check(faults, group > 0, "no example launches it");
        Check(faults, group <= ThreadsOfBlock, $"it is launched with {group} threads a block, and {ThreadsOfBlock} is the most");
        Check(faults, facts.LocalBytes == 0 && !text.Contains(".local", StringComparison.Ordinal), "it uses local memory");
        Check(faults, !text.Contains(".f64", StringComparison.Ordinal), "it computes with doubles, which become floats on CUDA");
        Check(faults, !text.Contains(".extern .func", StringComparison.Ordinal) && !text.Contains("__nv_", StringComparison.Ordinal), "it calls libdevice");
        Check(faults, facts.SharedBytes <= StaticSharedBytes, $"it declares {facts.SharedBytes} bytes of shared memory, and {StaticSharedBytes} is the most");
        Check(faults, facts.SharedBytes + kernel.DynamicSharedBytes <= HopperSharedBytes, $"it asks for {kernel.DynamicSharedBytes} bytes of shared memory, and {HopperSharedBytes} is the most");
        var chips = new SortedDictionary<string, ChipFacts>(StringComparer.Ordinal);
        foreach (string chip in ChipsOf(kernel))
        {
            if (assembler?.Assemble(text, chip) is not { } made)
                break;
            chips[chip] = new(made.Registers, made.SpillBytes);
            faults.AddRange(made.Remarks.Select(r => $"{chip}: {r}"));
            Check(faults, made.SpillBytes == 0 && made.StackBytes == 0, $"{chip}: {made.SpillBytes} bytes spilled, {made.StackBytes} bytes of stack");
            Check(faults, RegisterFile.Suffices(made.Registers, group), $"{chip}: {made.Registers} registers do not suffice {group} threads");
        }
        return (new(group, facts, chips), faults);
    }

    /// <summary>How a kernel differs from what is expected, in words; null where it does not, or where nothing can be said.</summary>
    /// <param name="sameAssembler">Whether the assembler is of the version that told the expected registers.</param>
    public static string? Difference(VerifiedKernel? expected, VerifiedKernel found, bool sameAssembler)
    {
        if (expected is null)
            return "it is new";
        var differences = new List<string>();
        Compare(differences, "threads", expected.Threads, found.Threads);
        Compare(differences, "instructions", expected.Ptx.Instructions, found.Ptx.Instructions);
        Compare(differences, "bytes of shared memory", expected.Ptx.SharedBytes, found.Ptx.SharedBytes);
        Compare(differences, "instructions of tensor cores", expected.Ptx.TensorInstructions, found.Ptx.TensorInstructions);
        foreach (int bytes in expected.Ptx.GlobalAccesses.Keys.Union(found.Ptx.GlobalAccesses.Keys))
            Compare(differences, $"accesses of {bytes} bytes", expected.Ptx.GlobalAccesses.GetValueOrDefault(bytes), found.Ptx.GlobalAccesses.GetValueOrDefault(bytes));
        if (sameAssembler)
            foreach (string chip in expected.Chips.Keys.Intersect(found.Chips.Keys))
                Compare(differences, $"registers for {chip}", expected.Chips[chip].Registers, found.Chips[chip].Registers);
        return differences.Count == 0 ? null : string.Join(", ", differences);
    }

    private static void Compare(List<string> differences, string what, int expected, int found)
    {
        if (expected != found)
            differences.Add($"{found} {what} instead of {expected}");
    }

    private static void Check(List<string> faults, bool holds, string fault)
    {
        if (!holds)
            faults.Add(fault);
    }

    public void Dispose() => compiler.Dispose();
}
