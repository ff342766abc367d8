namespace IlgpuNetVlad.Ptx;

/// <summary>A text that is no PTX, or PTX that this reader does not know: nothing is ever skipped.</summary>
public sealed class PtxSyntaxException(int line, string message) : Exception($"PTX line {line}: {message}")
{
    /// <summary>From 1.</summary>
    public int Line { get; } = line;
}
