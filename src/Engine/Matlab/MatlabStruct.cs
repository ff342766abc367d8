namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>One structure, or an array of them with the same fields.</summary>
/// <param name="fields">Their names, in the file's order.</param>
/// <param name="values">Structure after structure, the first index fastest, each with all its fields.</param>
internal sealed class MatlabStruct(int[] shape, string[] fields, MatlabValue[] values) : MatlabValue(shape)
{
    /// <summary>In the file's order.</summary>
    public IReadOnlyList<string> Fields => fields;

    /// <summary>Structures side by side.</summary>
    public int Count => fields.Length == 0 ? 0 : values.Length / fields.Length;

    public override string Kind => $"a structure of {Size}";

    /// <summary>A field of the first structure; null where there is none of that name, or no structure.</summary>
    public MatlabValue? Find(string field) => Count > 0 && Array.IndexOf(fields, field) is >= 0 and var at ? values[at] : null;

    /// <summary>A field of the first structure by its place among the fields; null where there are fewer.</summary>
    public MatlabValue? At(int place) => Count > 0 && place < fields.Length ? values[place] : null;
}
