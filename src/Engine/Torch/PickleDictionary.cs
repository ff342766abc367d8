namespace IlgpuNetVlad.Engine.Torch;

/// <summary>A dictionary of Python, ordered or not: its pairs in the order in which they came.</summary>
internal sealed class PickleDictionary
{
    private readonly List<(object? Key, object? Value)> pairs = [];

    public IReadOnlyList<(object? Key, object? Value)> Pairs => pairs;

    public void Add(object? key, object? value) => pairs.Add((key, value));

    /// <summary>The last value of that key, as Python would keep it; null where there is none.</summary>
    public object? Find(string key) => pairs.LastOrDefault(p => p.Key as string == key).Value;
}
