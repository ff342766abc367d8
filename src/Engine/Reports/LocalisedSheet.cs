using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A sheet of photographs with the known places that they may show.</summary>
public static class LocalisedSheet
{
    /// <summary>Photographs that one sheet shows at most.</summary>
    public const int MostRows = 20;

    /// <summary>Draws each photograph on the left, and its first answers, of which nobody knows whether they are right.</summary>
    /// <param name="found">From top to bottom, the first <see cref="MostRows"/> of them.</param>
    /// <param name="first">How many answers of each.</param>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public static void Write(string path, string title, IReadOnlyList<Localised> found, IImageDecoder decoder, int first = 3)
    {
        int columns = Math.Max(1, Math.Min(first, found.Take(MostRows).Select(f => f.Answers.Count).DefaultIfEmpty(0).Max()));
        PictureSheet.Write(
            path, title, ["photograph", "", columns == 1 ? "most similar" : "the most similar known photographs", .. Enumerable.Repeat("", columns - 1)],
            [.. found.Take(MostRows).Select(f => (IReadOnlyList<SheetPicture?>)
            [
                new(f.Photo, PictureMark.Query, Path.GetFileName(f.Photo)),
                null,
                .. f.Answers.Take(columns).Select(answer => new SheetPicture(answer.Place.Path, PictureMark.Plain, Caption(answer))),
            ])],
            decoder);
    }

    private static string Caption(PlaceAnswer answer)
    {
        string position = answer.Place switch
        {
            { Position: { } degrees } => degrees.ToString(),
            { Metres: var (easting, northing) } => string.Create(CultureInfo.InvariantCulture, $"{easting:0.#} m E, {northing:0.#} m N"),
            _ => "",
        };
        // A name that is all position would say what stands below it once more.
        string name = Path.GetFileName(answer.Place.Path) is var file && file.StartsWith('@') ? "similarity" : file;
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {answer.Similarity:0.000}\n{position}").TrimEnd('\n');
    }
}
