using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// The decoded pixels of a set of images of one size, 3 bytes a pixel: kept in memory where they fit, else decoded from their files each time (ahead
/// of use, by <see cref="Ahead"/>).
/// </summary>
internal sealed class ImageStore
{
    private readonly IReadOnlyList<string> paths;
    private readonly IImageDecoder decoder;
    private readonly ResizePolicy resize;
    private readonly PixelImage?[] kept;

    /// <param name="keepAtMost">Bytes that pixels may take; more are decoded again and again.</param>
    /// <exception cref="UserErrorException">The images differ in size.</exception>
    public ImageStore(IReadOnlyList<string> paths, IImageDecoder decoder, ResizePolicy resize, long keepAtMost)
    {
        this.paths = paths;
        this.decoder = decoder;
        var sizes = new (int Height, int Width)[paths.Count];
        Parallel.For(0, paths.Count, i =>
        {
            var (h, w) = decoder.ReadSize(paths[i]);
            sizes[i] = resize.Apply(h, w);
        });
        (Height, Width) = sizes[0];
        int other = Array.FindIndex(sizes, s => s != sizes[0]);
        if (other >= 0)
            throw new UserErrorException(
                $"Training needs images of one size, and {paths[0]} is {Width}×{Height}, {paths[other]} {sizes[other].Width}×{sizes[other].Height} pixels: give --resize {Height}x{Width}.");
        this.resize = ResizePolicy.Exact(Height, Width);
        Bytes = (long)paths.Count * Height * Width * 3;
        IsKept = Bytes <= keepAtMost;
        kept = new PixelImage?[IsKept ? paths.Count : 0];
    }

    public int Height { get; }
    public int Width { get; }
    public int Count => paths.Count;

    /// <summary>Floats that an image's pixels take in a plan's input.</summary>
    public int Length => PixelNumbers.Floats(Height, Width);

    public IReadOnlyList<string> Paths => paths;

    /// <summary>All pixels.</summary>
    public long Bytes { get; }

    /// <summary>Whether pixels stay in memory.</summary>
    public bool IsKept { get; }

    /// <summary>Decodes all images if they are to be kept.</summary>
    public void Load(IProgressSink progress, CancellationToken token)
    {
        const int portion = 64;
        if (!IsKept)
            return;
        progress.Begin("Decoding images", paths.Count, "images");
        for (int first = 0; first < paths.Count; first += portion)
        {
            int end = Math.Min(first + portion, paths.Count);
            try
            {
                Parallel.For(first, end, new ParallelOptions { CancellationToken = token }, i => kept[i] ??= decoder.Decode(paths[i], resize));
            }
            catch (AggregateException e)
            {
                throw e.InnerExceptions.OfType<UserErrorException>().FirstOrDefault() ?? e.InnerExceptions[0];
            }
            progress.Advance(end);
        }
    }

    /// <summary>Pixels for batches of the store's images, made ready on other threads.</summary>
    /// <param name="onBad">Told of an image that cannot be decoded, which is then left out of its batch; null lets it throw.</param>
    public InputAhead Ahead(Device device, int maxImages, Action<int, ImageException>? onBad = null)
        => new(device, (image, to) => Pixels(image.Image).CopyTo(to, image.Flip), maxImages, (long)maxImages * Length, onBad);

    /// <summary>One image's pixels; may be called from several threads.</summary>
    /// <exception cref="ImageException">The file cannot be decoded.</exception>
    public PixelImage Pixels(int image) => IsKept ? kept[image] ??= decoder.Decode(paths[image], resize) : decoder.Decode(paths[image], resize);
}
