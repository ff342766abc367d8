namespace IlgpuNetVlad.Ptx;

/// <summary>What part of a multiprocessor an instruction occupies.</summary>
public enum InstructionKind
{
    Bf16Product,
    Tf32Product,
    Float,
    Integer,
    Global,
    Shared,
    AsyncCopy,
    Parameter,
    Barrier,
    ProductOrder,
    Branch,
    Move,
}

/// <summary>Sorts instructions by their opcodes.</summary>
public static class InstructionKinds
{
    public static InstructionKind KindOf(string opcode)
    {
        string[] parts = opcode.Split('.');
        return parts[0] switch
        {
            "wgmma" => parts.Contains("mma_async") ? InstructionKind.Bf16Product : InstructionKind.ProductOrder,
            "fence" or "mbarrier" => InstructionKind.ProductOrder,
            "mma" => parts.Contains("bf16") ? InstructionKind.Bf16Product : InstructionKind.Tf32Product,
            "ldmatrix" or "shfl" => InstructionKind.Shared,
            "cp" => InstructionKind.AsyncCopy,
            "bar" or "barrier" => InstructionKind.Barrier,
            "bra" or "ret" or "exit" => InstructionKind.Branch,
            "mov" or "cvta" => InstructionKind.Move,
            "ld" or "st" => parts.Contains("param") ? InstructionKind.Parameter : parts.Contains("shared") ? InstructionKind.Shared : InstructionKind.Global,
            "cvt" => parts.Any(p => p.StartsWith("f32", StringComparison.Ordinal)) ? InstructionKind.Float : InstructionKind.Integer,
            _ => parts[^1] == "f32" ? InstructionKind.Float : InstructionKind.Integer,
        };
    }
}
