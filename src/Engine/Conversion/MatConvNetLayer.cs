using IlgpuNetVlad.Engine.Matlab;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>One layer of a MatConvNet network.</summary>
/// <param name="Number">From 1, as MATLAB counts.</param>
/// <param name="Type">conv, relu, pool, normalize, lrn, dropout, custom…</param>
internal sealed record MatConvNetLayer(MatlabFile File, MatlabStruct Fields, int Number, string Type, string Name)
{
    /// <summary>The weights, of which there may be none.</summary>
    public IReadOnlyList<MatlabValue> Weights => Fields.Find("weights") is MatlabCells { Values: var weights } ? weights : [];

    public MatlabNumbers Weight(int index) => File.Numbers(Weights[index], $"weight {index + 1} of {this}");

    /// <summary>Numbers of a field; of a missing one, those of its default.</summary>
    public double[] Numbers(string field, params double[] otherwise) => Fields.Find(field) is { } value ? File.Numbers(value, $"{field} of {this}").ToDoubles() : otherwise;

    /// <summary>A weight's four sizes; MATLAB drops ones at the end.</summary>
    public int[] Shape(int index)
    {
        int[] shape = Weight(index).Shape;
        return [.. shape, .. Enumerable.Repeat(1, Math.Max(0, 4 - shape.Length))];
    }

    public override string ToString() => $"layer {Number} ({Name})";
}
