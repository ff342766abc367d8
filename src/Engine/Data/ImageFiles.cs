namespace IlgpuNetVlad.Engine.Data;

/// <summary>The image files of a folder.</summary>
public static class ImageFiles
{
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png", ".webp"];

    /// <summary>Pictures that no decoder here reads, by their endings: other formats, and those of cameras' sensors.</summary>
    private static readonly string[] OtherEndings =
    [
        ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff", ".gif", ".jxl", ".jp2", ".jfif",
        ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".pef", ".srw",
    ];

    /// <summary>True for JPEG, PNG and WebP by the ending of the name, in any case; hidden files are none.</summary>
    public static bool IsImage(string path)
        => !Path.GetFileName(path.AsSpan()).StartsWith('.') && Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Absolute paths of the images that a user names at once.</summary>
    /// <param name="path">A folder, an image, or a .txt file with one path a line, relative ones from the list's own folder.</param>
    /// <exception cref="UserErrorException">There is nothing of that name, or no image in it.</exception>
    public static IReadOnlyList<string> Named(string path)
    {
        var found = Directory.Exists(path) ? Under(path)
            : !File.Exists(path) ? throw new UserErrorException($"There is nothing at {path}; name a folder of images, an image, or a .txt list of them.")
            : Path.GetExtension(path).Equals(".txt", StringComparison.OrdinalIgnoreCase) ? Listed(path)
            : [Path.GetFullPath(path)];
        return found.Length > 0 ? found : throw new UserErrorException($"{path} names no JPEG, PNG or WebP image{(PassedOver(path) is { Count: > 0 } others ? $", but {Told(others)}" : ".")}");
    }

    private static string[] Listed(string list)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        return [.. File.ReadLines(list).Select(line => line.Trim()).Where(line => line.Length > 0).Select(line => Path.GetFullPath(line, folder))];
    }

    /// <summary>How many files below a folder look like pictures and are not among those of <see cref="Under"/>, by their endings in small letters, sorted; none of anything but a folder.</summary>
    /// <inheritdoc cref="Under" path="/exception"/>
    public static IReadOnlyDictionary<string, int> PassedOver(string folder)
    {
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        if (Directory.Exists(folder))
            foreach (var path in Files(folder))
                if (Path.GetExtension(path).ToLowerInvariant() is var ending && OtherEndings.Contains(ending) && !Path.GetFileName(path).StartsWith('.'))
                    found[ending] = found.GetValueOrDefault(ending) + 1;
        return found;
    }

    /// <summary>Says of how many files that is, and what to do: "3 .heic files are not read: …".</summary>
    /// <param name="passedOver">One or more.</param>
    public static string Told(IReadOnlyDictionary<string, int> passedOver)
        => $"{string.Join(", ", passedOver.Select(p => $"{p.Value} {p.Key}"))} file{(passedOver.Values.Sum() == 1 ? " is" : "s are")} not read: convert to JPEG, PNG or WebP.";

    /// <summary>Absolute paths of the images in a folder and the folders in it, in ordinal order of their paths below it: the same on every
    /// system.</summary>
    /// <exception cref="UserErrorException">There is no such folder, or it cannot be read.</exception>
    public static string[] Under(string folder)
    {
        var root = Path.GetFullPath(folder);
        return [.. Files(folder).Where(IsImage).OrderBy(path => Path.GetRelativePath(root, path).Replace('\\', '/'), StringComparer.Ordinal)];
    }

    private static string[] Files(string folder)
    {
        try
        {
            return Directory.GetFiles(Path.GetFullPath(folder), "*", SearchOption.AllDirectories);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"The folder {folder} cannot be read ({e.Message.TrimEnd('.')}); check its name and its permissions.", e);
        }
    }
}
