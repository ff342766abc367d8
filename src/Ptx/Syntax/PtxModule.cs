namespace IlgpuNetVlad.Ptx;

/// <summary>A PTX text, read.</summary>
/// <param name="Functions">Bodies of functions that are no kernels; ILGPU leaves such of its intrinsics, and no kernel calls them.</param>
public sealed record PtxModule(string Version, string Target, IReadOnlyList<PtxFunction> Kernels, IReadOnlyList<PtxFunction> Functions)
{
    /// <summary>Reads a text completely.</summary>
    /// <exception cref="PtxSyntaxException">Something in it is not known.</exception>
    public static PtxModule Parse(string text) => new PtxParser(PtxLexer.Cut(text)).Module();
}

/// <summary>A kernel or a function.</summary>
/// <param name="Parameters">In order, with their offsets in the block of parameters.</param>
/// <param name="Variables">Shared and local arrays.</param>
/// <param name="Registers">Every declared register.</param>
/// <param name="Labels">The index of the instruction that each one stands before.</param>
public sealed record PtxFunction(
    string Name,
    int Line,
    IReadOnlyList<PtxVariable> Parameters,
    IReadOnlyList<PtxVariable> Variables,
    IReadOnlyList<PtxRegister> Registers,
    IReadOnlyList<PtxInstruction> Instructions,
    IReadOnlyDictionary<string, int> Labels)
{
    /// <summary>Of a block, as <c>.maxntid</c> says; null where nothing is said.</summary>
    public int? MostThreads { get; init; }

    /// <summary>Of a thread, as <c>.maxnreg</c> says; null where nothing is said.</summary>
    public int? MostRegisters { get; init; }

    /// <summary>Bytes that the parameters take.</summary>
    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Bytes;

    /// <summary>Bytes of shared memory that a block declares.</summary>
    public int SharedBytes => Variables.Where(v => v.Space == "shared").Select(v => v.Offset + v.Bytes).DefaultIfEmpty(0).Max();

    /// <summary>Bytes of local memory that a thread declares.</summary>
    public int LocalBytes => Variables.Where(v => v.Space == "local").Sum(v => v.Bytes);
}

/// <summary>An array in shared or local memory, or a parameter.</summary>
/// <param name="Space"><c>shared</c>, <c>local</c> or <c>param</c>.</param>
/// <param name="Offset">From the start of its space, in bytes.</param>
/// <param name="Bytes">0 for shared memory whose size the launch gives.</param>
public sealed record PtxVariable(string Name, string Space, int Alignment, int Offset, int Bytes);

/// <summary>One instruction.</summary>
/// <param name="Opcode">With all modifiers, such as <c>mul.wide.u32</c>.</param>
/// <param name="Guard">The predicate that switches it on, or null.</param>
/// <param name="GuardNegated">It is on where the predicate is false.</param>
public sealed record PtxInstruction(int Line, string Opcode, PtxRegister? Guard, bool GuardNegated, IReadOnlyList<PtxOperand> Operands);
