using System.Text.Json.Nodes;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>
/// What a study's folder was begun with, against what it shall go on with. Lists may grow, and the title may change: what is finished stays then. Anything else would put results of
/// different settings into one table.
/// </summary>
/// <param name="Differences">What must not differ and does, as a sentence names it.</param>
/// <param name="MeasuresMore">Finished cells lack measurements that are asked for now.</param>
internal sealed record StudyGrowth(IReadOnlyList<string> Differences, bool MeasuresMore)
{
    /// <summary>More of these are more cells.</summary>
    private static readonly string[] Grid = ["pooling", "clusters", "trainFrom", "timeMachine", "seeds"];

    /// <summary>More of these are more measurements of every cell.</summary>
    private static readonly string[] Measured = ["tests", "dimensions", "whiten"];

    public static StudyGrowth Between(StudySettings begun, StudySettings asked)
    {
        JsonObject there = JsonNode.Parse(begun.ToJson())!.AsObject(), here = JsonNode.Parse(asked.ToJson())!.AsObject();
        var differences = new List<string>();
        bool measuresMore = false;
        foreach (var (name, now) in here)
        {
            var before = there[name];
            if (JsonNode.DeepEquals(before, now) || name == "title")
                continue;
            if (Grid.Contains(name) && HasGrown(before, now))
                continue;
            if (Measured.Contains(name) && HasGrown(before, now))
                measuresMore = true;
            else
                Name(differences, name, before, now);
        }
        return new(differences, measuresMore);
    }

    private static bool HasGrown(JsonNode? before, JsonNode? now) => before!.AsArray().All(b => now!.AsArray().Any(n => JsonNode.DeepEquals(b, n)));

    private static void Name(List<string> differences, string name, JsonNode? before, JsonNode? now)
    {
        if (before is JsonObject there && now is JsonObject here)
        {
            foreach (var (inner, value) in here)
                if (!JsonNode.DeepEquals(there[inner], value))
                    Name(differences, $"{name}.{inner}", there[inner], value);
            return;
        }
        static string Text(JsonNode? node) => node?.ToJsonString() ?? "null";
        differences.Add($"{name}: {Text(before)} there, {Text(now)} here");
    }
}
