namespace IlgpuNetVlad.Kernels;

/// <summary>Takes named stretches of the host's time, one within another, for a profiler's timeline: what was enqueued within one belongs to it.</summary>
public interface IRangeSink
{
    void Push(string name);

    /// <summary>Ends the innermost.</summary>
    void Pop();
}

/// <summary>A stretch that ends when it is disposed of; see <see cref="Device.Range"/>.</summary>
public readonly struct NamedRange : IDisposable
{
    private readonly IRangeSink? sink;

    internal NamedRange(IRangeSink? sink, string name)
    {
        this.sink = sink;
        sink?.Push(name);
    }

    public void Dispose() => sink?.Pop();
}
