using System.Runtime.InteropServices;
using System.Text.Json;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Writes a city to a folder, all of it or nothing.</summary>
public static class CityWriter
{
    /// <summary>Changes whenever the same options give other pictures: a city of another version is written anew.</summary>
    public const int Version = 2;

    private const string Manifest = "city.json";
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private sealed record Content(int Version, CityOptions Options, int Images);

    /// <summary>Whether the folder holds the complete city of these options.</summary>
    public static bool Exists(string folder, CityOptions options)
    {
        var path = Path.Combine(folder, Manifest);
        if (!File.Exists(path))
            return false;
        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllText(path));
            return content != null && content.Version == Version && content.Options == options
                && Directory.EnumerateFiles(Path.Combine(folder, "images"), "*.jpg", SearchOption.AllDirectories).Count() == content.Images;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return false;
        }
    }

    /// <summary>
    /// Renders the city into <paramref name="folder"/> on all cores, unless it is there already. Pictures are written aside and moved as a
    /// whole, so a folder never holds half a city; a city of other options in that place is replaced, anything else is left alone.
    /// </summary>
    /// <param name="progress">Called with (done, total), from one thread at a time.</param>
    /// <returns>Number of pictures of the city.</returns>
    /// <exception cref="IOException">The folder holds something that isn't a city.</exception>
    /// <exception cref="OperationCanceledException">Nothing is left behind.</exception>
    public static int Write(string folder, CityOptions options, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        options.Check();
        folder = Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar);
        var renderer = new CityRenderer(options);
        var shots = CityPlan.Shots(options, renderer);
        if (Exists(folder, options))
        {
            progress?.Invoke(shots.Count, shots.Count);
            return shots.Count;
        }
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(Path.Combine(folder, Manifest)))
            throw new IOException($"{folder} isn't empty and isn't a city: choose another folder, or empty it.");
        var aside = $"{folder}.{Environment.ProcessId}.tmp";
        try
        {
            Fill(aside, options, renderer, shots, progress, cancellation);
            if (Directory.Exists(folder))
                Directory.Delete(folder, true);
            Directory.Move(aside, folder);
        }
        finally
        {
            if (Directory.Exists(aside))
                Directory.Delete(aside, true);
        }
        return shots.Count;
    }

    private static void Fill(string folder, CityOptions options, CityRenderer renderer, List<CityShot> shots, Action<int, int>? progress, CancellationToken cancellation)
    {
        foreach (var sub in shots.Select(CityNames.Folder).Distinct())
            Directory.CreateDirectory(Path.Combine(folder, "images", sub));
        var done = 0;
        var gate = new Lock();
        Parallel.ForEach(shots, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, shot =>
        {
            var jpeg = Encode(renderer.Render(shot.View), options.Width, options.Height, options.Quality);
            File.WriteAllBytes(Path.Combine(folder, "images", CityNames.Folder(shot), CityNames.FileName(shot)), jpeg);
            lock (gate)
                progress?.Invoke(++done, shots.Count);
        });
        // Last: its presence says that the rest is complete.
        File.WriteAllText(Path.Combine(folder, Manifest), JsonSerializer.Serialize(new Content(Version, options, shots.Count), Json));
    }

    /// <summary>
    /// JPEG of RGB bytes. The encoder's transform is an integer one whose vector and scalar forms are defined to agree bit by bit, so the
    /// files are the same on every machine too, at a sixth of PNG's size.
    /// </summary>
    internal static byte[] Encode(byte[] rgb, int width, int height, int quality)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = rgb[3 * i] | (uint)rgb[3 * i + 1] << 8 | (uint)rgb[3 * i + 2] << 16 | 0xFF000000u;
        // Full colour resolution: at this size halved chroma would blur signs.
        using var pixmap = bitmap.PeekPixels();
        using var data = pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore))
            ?? throw new InvalidOperationException("The JPEG encoder refused a picture.");
        return data.ToArray();
    }
}
