namespace IlgpuNetVlad.Engine;

/// <summary>
/// Where long work tells how far it is. Calls come from one thread at a time; an implementation may drop what comes too often, so callers
/// need not count.
/// </summary>
public interface IProgressSink
{
    /// <summary>A stretch of work starts and ends the one before it.</summary>
    /// <param name="what">What is being done, for people ("describing the database").</param>
    /// <param name="total">How much there is; 0 where nobody knows.</param>
    /// <param name="unit">What is counted, in the plural ("images").</param>
    void Begin(string what, long total, string unit);

    /// <summary>So much of the present stretch is done, in its unit, counted from its beginning.</summary>
    void Advance(long done);

    /// <summary>A line worth keeping: a result, a warning.</summary>
    void Line(string text);
}
