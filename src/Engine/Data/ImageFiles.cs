namespace IlgpuNetVlad.Engine.Data;

/// <summary>The image files of a folder.</summary>
public static class ImageFiles
{
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png", ".webp"];

    /// <summary>True for JPEG, PNG and WebP by the ending of the name, in any case; hidden files are none.</summary>
    public static bool IsImage(string path)
        => !Path.GetFileName(path.AsSpan()).StartsWith('.') && Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

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
