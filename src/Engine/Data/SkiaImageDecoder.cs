using System.Buffers;
using System.Runtime.InteropServices;
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
        using var file = Read(path, () => Contents(path));
        using var codec = Header(path, SKCodec.Create(file));
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        int origin = (int)codec.EncodedOrigin, pixels = width * height;
        var (h, w) = EncodedOrientation.Transposes(origin) ? policy.Apply(width, height) : policy.Apply(height, width);
        bool turned = origin > 1, resized = (h, w) != (height, width);
        // Whatever is large and soon gone stays off the heap, where it would be most of a run's garbage.
        byte[] rgb = turned || !resized ? new byte[pixels * 3] : ArrayPool<byte>.Shared.Rent(pixels * 3);
        try
        {
            DecodeOverWhite(path, codec, rgb.AsSpan(0, pixels * 3));
            if (turned)
                return Resampling.Resize(EncodedOrientation.Upright(height, width, rgb, origin), h, w);
            return resized ? Resampling.Resize(rgb.AsSpan(0, pixels * 3), height, width, h, w) : new PixelImage(height, width, rgb);
        }
        finally
        {
            if (!turned && resized)
                ArrayPool<byte>.Shared.Return(rgb);
        }
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

    /// <exception cref="ImageException">Empty.</exception>
    private static SKData Contents(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        if (stream.Length == 0)
            throw new ImageException(path, Empty);
        if (stream.Length > Array.MaxLength)
            throw new ImageException(path, "it is larger than 2 GB");
        byte[] bytes = ArrayPool<byte>.Shared.Rent(checked((int)stream.Length));
        try
        {
            int length = checked((int)stream.Length);
            stream.ReadExactly(bytes, 0, length);
            return SKData.CreateCopy(bytes.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static unsafe void DecodeOverWhite(string path, SKCodec codec, Span<byte> rgb)
    {
        // No colour space: bytes come out as they were stored. Unpremultiplied, because alpha is laid over white below.
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        byte* rgba = (byte*)NativeMemory.Alloc((nuint)info.BytesSize64);
        try
        {
            var result = codec.GetPixels(info, (nint)rgba);
            if (result != SKCodecResult.Success)
                throw new ImageException(path, Reason(result));
            for (long i = 0; i < rgb.Length / 3; i++)
            {
                int alpha = rgba[4 * i + 3];
                for (int channel = 0; channel < 3; channel++)
                {
                    int value = rgba[4 * i + channel];
                    rgb[(int)(3 * i + channel)] = alpha == 255 ? (byte)value : (byte)((value * alpha + 255 * (255 - alpha) + 127) / 255);
                }
            }
        }
        finally
        {
            NativeMemory.Free(rgba);
        }
    }
}
