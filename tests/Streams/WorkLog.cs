using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>
/// What a device was given, in the host's order, with vector clocks over the host and each stream: two accesses to the same bytes, of which one writes, must be ordered by a stream, a mark
/// that was waited for, or a synchronisation. So a copy that a GPU could do at the wrong time is found on a processor, which does it at once.
/// </summary>
internal sealed class WorkLog : IWorkObserver
{
    private readonly Lock gate = new();
    private readonly List<WorkStream?> agents = [null];
    private readonly List<Dictionary<int, int>> known = [[]];
    private readonly Dictionary<StreamMark, Dictionary<int, int>> marks = [];
    private readonly List<(MemoryPlace Place, bool Writes, int Agent, int Time)> accesses = [];
    private readonly List<string> conflicts = [];
    private readonly Dictionary<WorkKind, int> counts = [];
    private int time;

    /// <summary>Accesses that nothing orders, in words.</summary>
    public IReadOnlyList<string> Conflicts => conflicts;

    /// <summary>Kernels' names in the order of their launches.</summary>
    public List<string> Kernels { get; } = [];

    public int Count(WorkKind kind) => counts.GetValueOrDefault(kind);

    public void Happened(in WorkItem item)
    {
        lock (gate)
        {
            counts[item.Kind] = Count(item.Kind) + 1;
            int agent = item.Stream is null ? 0 : AgentOf(item.Stream);
            switch (item.Kind)
            {
                case WorkKind.Launch:
                    Kernels.Add(item.Kernel ?? "host");
                    break;
                case WorkKind.Copy:
                    // What the host knows when it enqueues, the stream knows.
                    Join(known[agent], known[0]);
                    known[agent][0] = time;
                    Access(item.Reads, writes: false, agent);
                    Access(item.Writes, writes: true, agent);
                    break;
                case WorkKind.HostAccess:
                    Access(item.Writes, writes: true, 0);
                    break;
                case WorkKind.MarkSet:
                    marks[item.Mark!] = new(known[agent]) { [agent] = time };
                    break;
                case WorkKind.StreamWait or WorkKind.HostWait:
                    if (marks.TryGetValue(item.Mark!, out var mark))
                        Join(known[agent], mark);
                    break;
                case WorkKind.Synchronisation:
                    for (int a = 1; a < agents.Count; a++)
                        known[0][a] = time;
                    break;
            }
        }
    }

    private void Access(MemoryPlace place, bool writes, int agent)
    {
        foreach (var other in accesses)
            if ((writes || other.Writes) && other.Agent != agent && known[agent].GetValueOrDefault(other.Agent, -1) < other.Time
                && place.Address < other.Place.Address + other.Place.Bytes && other.Place.Address < place.Address + place.Bytes)
                conflicts.Add($"{Name(agent)} {(writes ? "writes" : "reads")} at {time} what {Name(other.Agent)} {(other.Writes ? "writes" : "reads")} at {other.Time}");
        accesses.RemoveAll(a => a.Agent == agent && a.Writes == writes && a.Place == place);
        accesses.Add((place, writes, agent, ++time));
    }

    private int AgentOf(WorkStream stream)
    {
        int agent = agents.IndexOf(stream);
        if (agent < 0)
        {
            agent = agents.Count;
            agents.Add(stream);
            known.Add([]);
        }
        return agent;
    }

    private static string Name(int agent) => agent == 0 ? "the host" : $"stream {agent}";

    private static void Join(Dictionary<int, int> mine, Dictionary<int, int> others)
    {
        foreach (var (agent, when) in others)
            mine[agent] = Math.Max(mine.GetValueOrDefault(agent, -1), when);
    }
}
