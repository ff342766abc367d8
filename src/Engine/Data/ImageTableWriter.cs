using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>Writes what <see cref="ImageTableReader"/> reads.</summary>
internal static class ImageTableWriter
{
    /// <summary>Writes <c>images.csv</c> into a folder, aside and then renamed.</summary>
    /// <param name="rows">A value for each column, an empty one where nothing is known.</param>
    /// <returns>The file.</returns>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public static string Write(string folder, string[] columns, IEnumerable<string[]> rows)
    {
        string file = Path.Combine(Path.GetFullPath(folder), ImageTableReader.FileName);
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        using (var table = new CsvWriter(text, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" }, leaveOpen: true))
            foreach (string[] row in rows.Prepend(columns))
            {
                foreach (string value in row)
                    table.WriteField(value);
                table.NextRecord();
            }
        AtomicFile.WriteText(file, text.ToString());
        return file;
    }

    /// <summary>A picture's path as tables name it: from their folder on.</summary>
    public static string PathFrom(string folder, string picture) => Path.GetRelativePath(folder, picture).Replace('\\', '/');
}
