namespace IlgpuNetVlad.Engine.Models;

/// <summary>The names of pooling layers in files and on the command line.</summary>
public static class PoolingNames
{
    private static readonly Dictionary<string, PoolingKind> Kinds = new()
    {
        ["max"] = PoolingKind.Max, ["avg"] = PoolingKind.Average, ["netvlad"] = PoolingKind.NetVlad, ["netvlad-v2"] = PoolingKind.NetVladV2,
    };

    public static IReadOnlyCollection<string> All => Kinds.Keys;

    /// <summary>max, avg, netvlad or netvlad-v2.</summary>
    public static string Name(this PoolingKind kind) => Kinds.First(k => k.Value == kind).Key;

    /// <summary>Whether it has clusters.</summary>
    public static bool HasClusters(this PoolingKind kind) => kind is PoolingKind.NetVlad or PoolingKind.NetVladV2;

    /// <exception cref="UserErrorException">There is none of that name.</exception>
    public static PoolingKind Parse(string name)
        => Kinds.TryGetValue(name, out var kind) ? kind : throw new UserErrorException($"There is no pooling {name}: take one of {string.Join(", ", All)}.");
}
