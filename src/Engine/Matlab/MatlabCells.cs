namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>A cell array: values of any kind side by side.</summary>
/// <param name="values">The first index fastest.</param>
internal sealed class MatlabCells(int[] shape, MatlabValue[] values) : MatlabValue(shape)
{
    public IReadOnlyList<MatlabValue> Values => values;

    public override string Kind => $"a cell array of {Size}";
}
