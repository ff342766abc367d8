namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Something that this engine and its peers compute in turn.</summary>
internal interface IComparedWork : IDisposable
{
    /// <summary>What it is, for the table's head.</summary>
    string Title { get; }

    /// <summary>What <see cref="Difference"/> tells, for the table's column.</summary>
    string DifferenceTitle { get; }

    /// <summary>Of one run, counted as the direct method needs them.</summary>
    double Flops { get; }

    /// <summary>How far our own result lies from what is right; null where ours is what others are held against.</summary>
    double? OwnDifference { get; }

    /// <summary>The file that peers are given before their first run.</summary>
    string Input { get; }

    /// <summary>A peer's command with the values of this work in it.</summary>
    string Filled(string command);

    /// <summary>Once, by ours.</summary>
    void Run();

    /// <param name="answer">What a peer wrote.</param>
    double Difference(ReadOnlySpan<byte> answer);
}
