namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>Real numbers, or truth values as 0 and 1: as floats where MATLAB held them in single precision, else as doubles, which keep whole numbers up to 2⁵³.</summary>
internal sealed class MatlabNumbers : MatlabValue
{
    private readonly float[]? singles;
    private readonly double[] doubles = [];

    /// <param name="singles">As many as the shape says, the first index fastest.</param>
    public MatlabNumbers(int[] shape, float[] singles)
        : base(shape) => this.singles = singles;

    /// <param name="doubles">As many as the shape says, the first index fastest.</param>
    public MatlabNumbers(int[] shape, double[] doubles)
        : base(shape) => this.doubles = doubles;

    public int Count => singles?.Length ?? doubles.Length;

    public override string Kind => Count == 1 ? "a number" : $"numbers of {Size}";

    /// <summary>The first index fastest; not a copy where they are floats already.</summary>
    public float[] ToSingles() => singles ?? Array.ConvertAll(doubles, x => (float)x);

    /// <summary>The first index fastest; not a copy where they are doubles already.</summary>
    public double[] ToDoubles() => singles is null ? doubles : Array.ConvertAll(singles, x => (double)x);
}
