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

    /// <inheritdoc/>
    public PixelImage Decode(string path, ResizePolicy policy)
    {
        using var file = Open(path);
        using var codec = Header(path, file);
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
        using var file = Open(path);
        using var codec = Header(path, file);
        return EncodedOrientation.Transposes((int)codec.EncodedOrigin)
            ? (codec.Info.Width, codec.Info.Height)
            : (codec.Info.Height, codec.Info.Width);
    }

    private static SKData Open(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException(path, "there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(path, e is UnauthorizedAccessException ? "it may not be read" : e.Message.TrimEnd('.'), e);
        }

        return bytes.Length > 0 ? SKData.CreateCopy(bytes) : throw new ImageException(path, "the file is empty");
    }

    private static SKCodec Header(string path, SKData file)
    {
        var codec = SKCodec.Create(file) ?? throw new ImageException(path, "it is no JPEG, PNG or WebP image, or its header is damaged");
        if ((long)codec.Info.Width * codec.Info.Height <= MaxPixels)
            return codec;
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        codec.Dispose();
        throw new ImageException(path, $"its {width}×{height} pixels are more than the {MaxPixels / 1_000_000} million that are decoded");
    }

    private static string Reason(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "the file ends before the image does",
        SKCodecResult.ErrorInInput => "its contents are damaged",
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
