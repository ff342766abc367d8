namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>How files of one <c>op</c> are checked. Every class that implements this is found by itself.</summary>
public interface IGoldenOperation
{
    /// <summary>The <c>op</c> in the files' metadata.</summary>
    string Op { get; }

    IEnumerable<GoldenCase> Cases(GoldenFile file);
}
