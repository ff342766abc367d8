namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>What this engine computes where it is a peer among peers.</summary>
internal interface IServedWork : IDisposable
{
    /// <summary>Begins anew with an input.</summary>
    /// <param name="path">The file that every engine is given.</param>
    void Take(string path);

    /// <summary>Once.</summary>
    void Run();

    /// <summary>What the last run found, as the work's answers are written.</summary>
    byte[] Answer();
}
