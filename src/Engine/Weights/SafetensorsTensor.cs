namespace IlgpuNetVlad.Engine.Weights;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Unique in its file, such as <c>features.0.weight</c>.</param>
/// <param name="Shape">Empty for a single number.</param>
/// <param name="Values">The numbers in row-major order, whatever type the file holds them in.</param>
public sealed record SafetensorsTensor(string Name, int[] Shape, float[] Values)
{
    /// <summary>A tensor of whole numbers, of which a float would lose digits.</summary>
    /// <param name="name">Unique in its file.</param>
    /// <param name="shape">Empty for a single number.</param>
    /// <param name="integers">In row-major order.</param>
    public SafetensorsTensor(string name, int[] shape, long[] integers)
        : this(name, shape, Array.ConvertAll(integers, i => (float)i))
    {
        Integers = integers;
        Type = "I64";
    }

    /// <summary>The type in the file, as the format spells it: F32, BF16, I64…</summary>
    public string Type { get; init; } = "F32";

    /// <summary>The exact numbers of a tensor of whole numbers, else null.</summary>
    public long[]? Integers { get; init; }
}
