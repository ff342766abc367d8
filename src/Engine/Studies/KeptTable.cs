namespace IlgpuNetVlad.Engine.Studies;

/// <summary>A table that an earlier run of a study left, to hold a repetition to.</summary>
public static class KeptTable
{
    /// <summary>What tells two tables apart first, in one sentence; null where they are the same byte for byte.</summary>
    public static string? Difference(string table, string kept)
    {
        if (File.ReadAllBytes(table).AsSpan().SequenceEqual(File.ReadAllBytes(kept)))
            return null;
        string[] found = File.ReadAllText(table).Split('\n'), wanted = File.ReadAllText(kept).Split('\n');
        int same = found.Zip(wanted).TakeWhile(lines => lines.First == lines.Second).Count();
        string Line(string[] lines) => same < lines.Length ? $"'{lines[same]}'" : "nothing more";
        return $"{table} is not {kept}: line {same + 1} has {Line(found)} where that has {Line(wanted)}; other processors, and other versions of a kernel, may sum in another order.";
    }
}
