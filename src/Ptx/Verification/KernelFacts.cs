namespace IlgpuNetVlad.Ptx;

/// <summary>What a kernel's text says about it.</summary>
/// <param name="Instructions">Of the text, not of a run.</param>
/// <param name="SharedBytes">Of shared memory that a block declares.</param>
/// <param name="LocalBytes">Of local memory that a thread declares; it lies in global memory, and is slow.</param>
/// <param name="TensorInstructions">Multiplications of whole warps.</param>
/// <param name="GlobalAccesses">How many instructions touch global memory, by the bytes that a thread moves at once.</param>
public sealed record KernelFacts(int Instructions, int SharedBytes, int LocalBytes, int TensorInstructions, IReadOnlyDictionary<int, int> GlobalAccesses)
{
    public static KernelFacts Of(PtxFunction kernel) => new(
        kernel.Instructions.Count,
        kernel.SharedBytes,
        kernel.LocalBytes,
        kernel.Instructions.Count(i => i.Opcode.StartsWith("mma.", StringComparison.Ordinal) || i.Opcode.StartsWith("wgmma.mma_async.", StringComparison.Ordinal)),
        new SortedDictionary<int, int>(kernel.Instructions.Select(GlobalBytes).Where(b => b > 0).GroupBy(b => b).ToDictionary(g => g.Key, g => g.Count())));

    private static int GlobalBytes(PtxInstruction instruction)
    {
        string[] parts = instruction.Opcode.Split('.');
        if (parts is ["cp", "async", ..] && instruction.Operands is [_, _, PtxImmediate size, ..])
            return (int)size.Bits;
        if (parts[0] is not ("ld" or "st") || parts.Contains("shared") || parts.Contains("param"))
            return 0;
        return int.Parse(parts[^1].AsSpan(1)) / 8 * (parts.Contains("v4") ? 4 : parts.Contains("v2") ? 2 : 1);
    }
}
