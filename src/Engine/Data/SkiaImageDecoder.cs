using SkiaSharp;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Decodes JPEG, PNG and WebP by Skia. A file that ends early or is damaged is refused, never half grey; colour profiles are not applied, as in
/// the libraries that published networks were trained with.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    /// <summary>The most pixels an image may have: at four bytes each, half a gigabyte while it is decoded.</summary>
    public const long MaxPixels = 120_000_000;

    private const string Empty = "the file is empty";

    /// <inheritdoc/>
    public PixelImage Decode(string path, ResizePolicy policy)
    {
        var bytes = Read(path, () => File.ReadAllBytes(path));
        if (bytes.Length == 0)
            throw new ImageException(path, Empty);
        using var file = SKData.CreateCopy(bytes);
        using var codec = Header(path, SKCodec.Create(file));
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        // No colour space: bytes come out as they were stored. Unpremultiplied, because alpha is laid over white below.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        var rgba = new byte[info.BytesSize64];
        SKCodecResult result;
        unsafe
        {
            fixed (byte* pixels = rgba)
                result = codec.GetPixels(info, (nint)pixels);
        }

        if (result != SKCodecResult.Success)
            throw new ImageException(path, Reason(result));
        var image = EncodedOrientation.Upright(height, width, OverWhite(rgba, (int)(rgba.LongLength / 4)), (int)codec.EncodedOrigin);
        var (h, w) = policy.Apply(image.Height, image.Width);
        return Resampling.Resize(image, h, w);
    }

    /// <inheritdoc/>
    public (int Height, int Width) ReadSize(string path)
    {
        // The header alone: a set has tens of thousands of files.
        using var file = Read(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read));
        if (file.Length == 0)
            throw new ImageException(path, Empty);
        using var codec = Header(path, SKCodec.Create(file));
        return EncodedOrientation.Transposes((int)codec.EncodedOrigin)
            ? (codec.Info.Width, codec.Info.Height)
            : (codec.Info.Height, codec.Info.Width);
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException(path, "there is no such file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ImageException(path, Directory.Exists(path) ? "it is a folder" : "it may not be read", e);
        }
        catch (IOException e)
        {
            throw new ImageException(path, e.Message.TrimEnd('.'), e);
        }
    }

    private static SKCodec Header(string path, SKCodec? codec)
    {
        if (codec is null)
            throw new ImageException(path, "it is no JPEG, PNG or WebP image, or its header is damaged");
        if ((long)codec.Info.Width * codec.Info.Height <= MaxPixels)
            return codec;
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        codec.Dispose();
        throw new ImageException(path, $"its {width}×{height} pixels are more than the {MaxPixels / 1_000_000} million that are decoded");
    }

    private static string Reason(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "the file ends before the image does",
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => "its contents are damaged or cut off",
        _ => $"it cannot be decoded ({result})",
    };

    private static byte[] OverWhite(byte[] rgba, int pixels)
    {
        var rgb = new byte[pixels * 3];
        for (var i = 0; i < pixels; i++)
        {
            int alpha = rgba[4 * i + 3];
            for (var channel = 0; channel < 3; channel++)
                rgb[3 * i + channel] = alpha == 255 ? rgba[4 * i + channel] : (byte)((rgba[4 * i + channel] * alpha + 255 * (255 - alpha) + 127) / 255);
        }

        return rgb;
    }
}
