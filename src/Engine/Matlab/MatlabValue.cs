namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>An array of MATLAB: everything there is one.</summary>
/// <param name="shape">Two sizes or more; numbers lie with the first index fastest.</param>
internal abstract class MatlabValue(int[] shape)
{
    public int[] Shape => shape;

    /// <summary>What it is, for messages: "a cell array of 1×35".</summary>
    public abstract string Kind { get; }

    /// <summary>For messages: 2×10000.</summary>
    protected string Size => string.Join('×', shape);
}
