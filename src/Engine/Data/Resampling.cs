using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Resizes with a triangle filter that widens as the image shrinks, so that every pixel counts (what PyTorch and Pillow call antialiased bilinear,
/// and equal to theirs); plain bilinear when it grows. Integers only: the same bytes on every machine.
/// </summary>
internal static class Resampling
{
    // 8 bits of pixel and 22 of weight fill an int; weights of one result sum to 1.
    private const int Bits = 22;

    public static PixelImage Resize(PixelImage image, int height, int width)
        => (height, width) == (image.Height, image.Width) ? image : Resize(image.Rgb, image.Height, image.Width, height, width);

    /// <param name="rgb">[height, width, 3].</param>
    /// <param name="toHeight">Rows of the result, a copy in any case.</param>
    public static PixelImage Resize(ReadOnlySpan<byte> rgb, int height, int width, int toHeight, int toWidth)
        => Resize(rgb, height, width, toHeight, toWidth, height, width);

    /// <param name="coveredHeight">Rows that the image has, of which the last may be a part.</param>
    /// <param name="coveredWidth">Columns alike.</param>
    /// <inheritdoc cref="Resize(ReadOnlySpan{byte}, int, int, int, int)"/>
    public static PixelImage Resize(ReadOnlySpan<byte> rgb, int height, int width, int toHeight, int toWidth, double coveredHeight, double coveredWidth)
    {
        var result = new byte[toHeight * toWidth * 3];
        if (width == toWidth)
            Columns(rgb, width * 3, Filter.Make(height, coveredHeight, toHeight), result);
        else if (height == toHeight)
            Rows(rgb, height, width, Filter.Make(width, coveredWidth, toWidth), result);
        else
        {
            // Large and soon gone: on the heap it would be most of a run's garbage.
            byte[] between = ArrayPool<byte>.Shared.Rent(height * toWidth * 3);
            Rows(rgb, height, width, Filter.Make(width, coveredWidth, toWidth), between);
            Columns(between, toWidth * 3, Filter.Make(height, coveredHeight, toHeight), result);
            ArrayPool<byte>.Shared.Return(between);
        }
        return new PixelImage(toHeight, toWidth, result);
    }

    private static void Rows(ReadOnlySpan<byte> rgb, int height, int width, Filter filter, Span<byte> result)
    {
        // A pixel is read as four bytes, one of which is not its own; the last of a row needs a byte behind it.
        var from = new byte[width * 3 + 1];
        for (var y = 0; y < height; y++)
        {
            rgb.Slice(y * width * 3, width * 3).CopyTo(from);
            var to = result.Slice(y * filter.Length * 3, filter.Length * 3);
            for (var x = 0; x < filter.Length; x++)
            {
                var sum = Vector128.Create(1 << (Bits - 1));
                var weights = filter.Weights(x, out var first);
                ref var pixel = ref from[first * 3];
                for (var i = 0; i < weights.Length; i++)
                {
                    var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref pixel, 3 * i))).AsByte();
                    sum += Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32() * weights[i];
                }

                sum >>= Bits;
                to[3 * x] = (byte)sum[0];
                to[3 * x + 1] = (byte)sum[1];
                to[3 * x + 2] = (byte)sum[2];
            }
        }
    }

    private static void Columns(ReadOnlySpan<byte> rgb, int stride, Filter filter, Span<byte> result)
    {
        var sums = new int[stride];
        for (var y = 0; y < filter.Length; y++)
        {
            Array.Fill(sums, 1 << (Bits - 1));
            var weights = filter.Weights(y, out var first);
            for (var i = 0; i < weights.Length; i++)
                AddWeighted(rgb.Slice((first + i) * stride, stride), weights[i], sums);
            var to = result.Slice(y * stride, stride);
            for (var x = 0; x < stride; x++)
                to[x] = (byte)(sums[x] >> Bits);
        }
    }

    private static void AddWeighted(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        var x = 0;
        for (; x <= row.Length - Vector<byte>.Count; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(row[x..]), out var low, out var high);
            Vector.Widen(low, out var a, out var b);
            Vector.Widen(high, out var c, out var d);
            var to = sums.Slice(x, Vector<byte>.Count);
            var n = Vector<int>.Count;
            (new Vector<int>(to) + Vector.AsVectorInt32(a) * weight).CopyTo(to);
            (new Vector<int>(to[n..]) + Vector.AsVectorInt32(b) * weight).CopyTo(to[n..]);
            (new Vector<int>(to[(2 * n)..]) + Vector.AsVectorInt32(c) * weight).CopyTo(to[(2 * n)..]);
            (new Vector<int>(to[(3 * n)..]) + Vector.AsVectorInt32(d) * weight).CopyTo(to[(3 * n)..]);
        }

        for (; x < row.Length; x++)
            sums[x] += weight * row[x];
    }

    /// <summary>For each of Length results, the inputs that it is the mean of, and their weights.</summary>
    private sealed class Filter
    {
        private readonly int[] first, count, weights;
        private readonly int stride;

        private Filter(int length, int stride)
        {
            (Length, this.stride) = (length, stride);
            (first, count, weights) = (new int[length], new int[length], new int[length * stride]);
        }

        public int Length { get; }

        public static Filter Make(int from, double covered, int to)
        {
            var scale = covered / to;
            var reach = Math.Max(1, scale);
            var filter = new Filter(to, 2 * (int)Math.Ceiling(reach) + 1);
            Span<double> raw = new double[filter.stride];
            for (var i = 0; i < to; i++)
            {
                // Pixel k covers k … k + 1 and has its centre in between.
                var centre = (i + 0.5) * scale;
                var first = Math.Max(0, (int)(centre - reach + 0.5));
                var count = Math.Min(from, (int)(centre + reach + 0.5)) - first;
                var sum = 0.0;
                for (var k = 0; k < count; k++)
                    sum += raw[k] = Math.Max(0, 1 - Math.Abs(first + k + 0.5 - centre) / reach);
                for (var k = 0; k < count; k++)
                    filter.weights[i * filter.stride + k] = (int)Math.Round(raw[k] / sum * (1 << Bits), MidpointRounding.AwayFromZero);
                (filter.first[i], filter.count[i]) = (first, count);
            }

            return filter;
        }

        public ReadOnlySpan<int> Weights(int i, out int first)
        {
            first = this.first[i];
            return weights.AsSpan(i * stride, count[i]);
        }
    }
}
