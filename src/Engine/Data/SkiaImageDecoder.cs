using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Decodes JPEG, PNG and WebP by Skia. A file that ends early or is damaged is refused, never half grey; colour profiles are not applied, as in
/// the libraries that published networks were trained with. JPEGs of at least four times the size wanted are decoded at a reduced scale.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    /// <summary>The most pixels an image may have: at four bytes each, half a gigabyte while it is decoded.</summary>
    public const long MaxPixels = 120_000_000;

    /// <summary>
    /// How many times the size wanted a JPEG decoded at a reduced scale must have. At 2 what comes out of resizing differs from that of the whole image by 0.5 to 0.7 of 255 levels (root mean
    /// square, on photographs); at 1 by up to 4, for the low frequencies of a block are not the mean of its pixels.
    /// </summary>
    private const int Floor = 2;

    private const string Empty = "the file is empty";

    /// <inheritdoc/>
    public PixelImage Decode(string path, ResizePolicy policy)
    {
        using var file = Read(path, () => Contents(path));
        return Decode(path, file, policy);
    }

    /// <summary>Decodes a file that stands in memory, as one that came over a network.</summary>
    /// <param name="file">All bytes of it.</param>
    /// <param name="name">What a message calls it.</param>
    /// <inheritdoc cref="Decode(string, ResizePolicy)"/>
    public PixelImage Decode(ReadOnlySpan<byte> file, ResizePolicy policy, string name = "the image")
    {
        if (file.Length == 0)
            throw new ImageException(name, Empty);
        using var copy = SKData.CreateCopy(file);
        return Decode(name, copy, policy);
    }

    private static PixelImage Decode(string path, SKData file, ResizePolicy policy)
    {
        using var codec = Header(path, SKCodec.Create(file));
        var (height, width) = (codec.Info.Height, codec.Info.Width);
        int origin = (int)codec.EncodedOrigin;
        var (h, w) = EncodedOrientation.Transposes(origin) ? policy.Apply(width, height) : policy.Apply(height, width);
        var (storedHeight, storedWidth) = EncodedOrientation.Transposes(origin) ? (w, h) : (h, w);
        if (Divisor(codec, storedHeight, storedWidth) is > 1 and var divisor)
        {
            var size = codec.GetScaledDimensions(1f / divisor);
            var small = Resized(path, codec, size.Height, size.Width, storedHeight, storedWidth, (double)height / divisor, (double)width / divisor);
            return EncodedOrientation.Upright(storedHeight, storedWidth, small.Rgb, origin);
        }
        if (origin <= 1 && (h, w) != (height, width))
            return Resized(path, codec, height, width, h, w, height, width);
        var rgb = new byte[width * height * 3];
        DecodeOverWhite(path, codec, height, width, rgb);
        return Resampling.Resize(EncodedOrientation.Upright(height, width, rgb, origin), h, w);
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

    /// <summary>
    /// By what to divide a JPEG's sides while it is decoded: 8, 4 or 2 where they are then still at least <see cref="Floor"/> times the size wanted. Its blocks are made of their low
    /// frequencies alone, which is quicker, and resizing does the rest.
    /// </summary>
    private static int Divisor(SKCodec codec, int height, int width)
    {
        if (codec.EncodedFormat == SKEncodedImageFormat.Jpeg)
            for (int divisor = 8; divisor > 1; divisor /= 2)
                if (codec.Info.Height >= Floor * divisor * height && codec.Info.Width >= Floor * divisor * width)
                    return divisor;
        return 1;
    }

    /// <summary>Decodes at a size and resizes from there.</summary>
    /// <param name="coveredHeight">Rows of it that the image has, of which the last may be a part; columns alike.</param>
    private static PixelImage Resized(string path, SKCodec codec, int height, int width, int toHeight, int toWidth, double coveredHeight, double coveredWidth)
    {
        // Whatever is large and soon gone stays off the heap, where it would be most of a run's garbage.
        int length = height * width * 3;
        byte[] rgb = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            DecodeOverWhite(path, codec, height, width, rgb.AsSpan(0, length));
            return Resampling.Resize(rgb.AsSpan(0, length), height, width, toHeight, toWidth, coveredHeight, coveredWidth);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rgb);
        }
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

    private static unsafe void DecodeOverWhite(string path, SKCodec codec, int height, int width, Span<byte> rgb)
    {
        // No colour space: bytes come out as they were stored. Unpremultiplied, because alpha is laid over white below.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        byte* rgba = (byte*)NativeMemory.Alloc((nuint)info.BytesSize64);
        try
        {
            var result = codec.GetPixels(info, (nint)rgba);
            if (result != SKCodecResult.Success)
                throw new ImageException(path, Reason(result));
            if (codec.Info.AlphaType == SKAlphaType.Opaque)
                Pack(rgba, rgb);
            else
                LayOverWhite(rgba, rgb);
        }
        finally
        {
            NativeMemory.Free(rgba);
        }
    }

    /// <summary>Four bytes a pixel to three.</summary>
    private static unsafe void Pack(byte* rgba, Span<byte> rgb)
    {
        var order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0);
        int at = 0;
        fixed (byte* to = rgb)
        {
            // Each store's last four bytes are overwritten by the next one.
            for (; at + 16 <= rgb.Length; at += 12, rgba += 16)
                Vector128.Shuffle(Vector128.Load(rgba), order).Store(to + at);
            for (; at < rgb.Length; at += 3, rgba += 4)
                (to[at], to[at + 1], to[at + 2]) = (rgba[0], rgba[1], rgba[2]);
        }
    }

    private static unsafe void LayOverWhite(byte* rgba, Span<byte> rgb)
    {
        for (int i = 0; i < rgb.Length; i += 3, rgba += 4)
        {
            int alpha = rgba[3];
            for (int channel = 0; channel < 3; channel++)
                rgb[i + channel] = alpha == 255 ? rgba[channel] : (byte)((rgba[channel] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
}
