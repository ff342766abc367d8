using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// A table in a text file: the first line names the columns, in any case and order; values stand between commas, semicolons or tabs, whichever
/// the first line uses. Every error names file and line.
/// </summary>
internal sealed class CsvTable
{
    private readonly string path;
    private readonly Dictionary<string, int> columns;
    private readonly List<(int Line, string[] Values)> rows = [];

    /// <exception cref="UserErrorException">The file cannot be read, is empty, or lacks one of the columns that are needed.</exception>
    public CsvTable(string path, params string[] needed)
    {
        this.path = path;
        try
        {
            using var text = new StreamReader(path);
            using var parser = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture)
            {
                Delimiter = Delimiter(path), TrimOptions = TrimOptions.Trim, IgnoreBlankLines = true, BadDataFound = null,
            });
            if (!parser.Read())
                throw new UserErrorException($"{path} is empty; its first line must name the columns {string.Join(", ", needed)}.");
            columns = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < parser.Count; i++)
            {
                if (!columns.TryAdd(parser[i], i) && parser[i].Length > 0)
                    throw new UserErrorException($"{path} has two columns called {parser[i]}; rename one in its first line.");
            }

            while (parser.Read())
                rows.Add((parser.RawRow, parser.Record!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CsvHelperException)
        {
            throw new UserErrorException($"{path} cannot be read as a table ({e.Message.Split('\n')[0].TrimEnd('.', '\r')}).", e);
        }

        if (needed.FirstOrDefault(column => !columns.ContainsKey(column)) is { } lacking)
            throw new UserErrorException(
                $"{path} has no column {lacking}; its first line must name {string.Join(", ", needed)} and names {string.Join(", ", columns.Keys)}.");
    }

    /// <summary>Rows without the first line.</summary>
    public int Count => rows.Count;

    public bool Has(string column) => columns.ContainsKey(column);

    /// <summary>A value without spaces around it; null if it is empty, or the column or this row's end is missing.</summary>
    public string? Text(int row, string column)
        => columns.TryGetValue(column, out var i) && i < rows[row].Values.Length && rows[row].Values[i] is { Length: > 0 } text ? text : null;

    /// <summary>A value that must be there.</summary>
    public string Required(int row, string column) => Text(row, column) ?? throw Wrong(row, $"the {column} is missing");

    /// <summary>A number with a decimal point; null if it is empty.</summary>
    public double? Number(int row, string column)
    {
        if (Text(row, column) is not { } text)
            return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(row, $"the {column} '{text}' is no number");
    }

    /// <summary>The error that names this row.</summary>
    public UserErrorException Wrong(int row, string what) => new($"{path}, line {rows[row].Line}: {what}.");

    // Asked of the first line alone: values may hold lists whose separator would win a count over the whole file.
    private static string Delimiter(string path)
    {
        var header = File.ReadLines(path).FirstOrDefault(line => line.Trim().Length > 0) ?? "";
        return header.Contains(',') ? "," : header.Contains('\t') ? "\t" : header.Contains(';') ? ";" : ",";
    }
}
