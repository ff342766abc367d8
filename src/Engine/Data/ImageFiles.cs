namespace IlgpuNetVlad.Engine.Data;

/// <summary>The image files of a folder.</summary>
public static class ImageFiles
{
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png", ".webp"];

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
        return found.Length > 0 ? found : throw new UserErrorException($"{path} names no JPEG, PNG or WebP image.");
    }

    private static string[] Listed(string list)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        return [.. File.ReadLines(list).Select(line => line.Trim()).Where(line => line.Length > 0).Select(line => Path.GetFullPath(line, folder))];
    }

    /// <summary>Absolute paths of the images in a folder and the folders in it, in ordinal order of their paths below it: the same on every
    /// system.</summary>
    /// <exception cref="UserErrorException">There is no such folder, or it cannot be read.</exception>
    public static string[] Under(string folder)
    {
        try
        {
            var root = Path.GetFullPath(folder);
            return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(IsImage)
                .OrderBy(path => Path.GetRelativePath(root, path).Replace('\\', '/'), StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"The folder {folder} cannot be read ({e.Message.TrimEnd('.')}); check its name and its permissions.", e);
        }
    }
}
