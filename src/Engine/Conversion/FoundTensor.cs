namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>A tensor of a file of weights that tells tensors apart by their names.</summary>
/// <param name="Shape">In PyTorch's order.</param>
/// <param name="Read">Its numbers, row by row.</param>
internal sealed record FoundTensor(string Name, int[] Shape, Func<float[]> Read)
{
    /// <summary>Shape without ones at its end: a 1×1 convolution's weight may be stored as a matrix.</summary>
    public int[] Trimmed { get; } = [.. Shape.Reverse().SkipWhile(n => n == 1).Reverse()];

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
