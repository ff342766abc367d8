namespace IlgpuNetVlad.Ptx;

/// <summary>What stands behind an opcode.</summary>
public abstract record PtxOperand;

/// <summary>A declared register.</summary>
/// <param name="Index">Unique in its kernel, also across scopes that use a name twice.</param>
public sealed record PtxRegister(string Name, string Type, int Index) : PtxOperand;

/// <summary>A register that the hardware fills, such as <c>%tid.x</c>.</summary>
public sealed record PtxSpecialRegister(string Name) : PtxOperand;

/// <summary>A constant: the bits of a float, or an integer extended with its sign.</summary>
public sealed record PtxImmediate(ulong Bits) : PtxOperand;

/// <summary>The name of a variable, a parameter or a label.</summary>
public sealed record PtxSymbol(string Name) : PtxOperand;

/// <summary>[base + offset], or [base + offset, {a, b, …}] where a tensor map and coordinates say what is meant.</summary>
public sealed record PtxAddress(PtxOperand Base, long Offset, PtxVector? Coordinates = null) : PtxOperand;

/// <summary>{a, b, …}</summary>
public sealed record PtxVector(IReadOnlyList<PtxOperand> Items) : PtxOperand;

/// <summary>a|b: a result and a predicate.</summary>
public sealed record PtxPair(PtxOperand First, PtxOperand Second) : PtxOperand;
