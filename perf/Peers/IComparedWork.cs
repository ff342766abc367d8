namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Something that this engine and its peers compute in turn, each in a process of its own.</summary>
internal interface IComparedWork
{
    /// <summary>What it is, for the table's head.</summary>
    string Title { get; }

    /// <summary>What <see cref="Difference"/> tells, for the table's column.</summary>
    string DifferenceTitle { get; }

    /// <summary>Of one run, counted as the direct method needs them.</summary>
    double Flops { get; }

    /// <summary>The file that engines are given before their first run.</summary>
    string Input { get; }

    /// <summary>The words after <c>serve</c> that let this engine do it (<see cref="Served.ServeRun"/>).</summary>
    IReadOnlyList<string> Own { get; }

    /// <summary>A peer's command with the values of this work in it.</summary>
    string Filled(string command);

    /// <summary>Is given our own answer first.</summary>
    /// <returns>How far it lies from what is right; null where it is what others are held against.</returns>
    double? Take(ReadOnlySpan<byte> ours);

    /// <param name="answer">What a peer wrote.</param>
    double Difference(ReadOnlySpan<byte> answer);
}
