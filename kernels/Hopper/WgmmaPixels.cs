using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>A pixel of a convolution: image times the rows of the map that is read, and row and column there, with the first tap's offset.</summary>
internal struct WgmmaPixel
{
    public int Image, Row, Column;
}

/// <summary>Says where the pixels of a tile are read.</summary>
internal interface IWgmmaReader
{
    /// <summary>A row of the product; one beyond the last becomes a pixel that no tap brings into the map.</summary>
    WgmmaPixel Place(int row);

    /// <summary>Index of what the present tap reads for a pixel, or −1 for zeros.</summary>
    /// <param name="chunk">Of the step's eight chunks of channels.</param>
    int Find(WgmmaPixel pixel, int chunk);
}

/// <summary>The eight pixels whose chunks a thread copies for A: eight neighbouring threads read a line of 128 bytes, and the block's 256 threads 32 lines at once.</summary>
internal struct WgmmaPixels
{
    private const int Step = WgmmaTile.Threads / WgmmaTile.DepthChunks;

    private WgmmaPixel p0, p1, p2, p3, p4, p5, p6, p7;

    public static WgmmaPixels Of<TReader>(TReader reader)
        where TReader : struct, IWgmmaReader
    {
        int row = Grid.IdxX * WgmmaTile.Rows + Group.IdxX / WgmmaTile.DepthChunks;
        return new()
        {
            p0 = reader.Place(row),
            p1 = reader.Place(row + Step),
            p2 = reader.Place(row + 2 * Step),
            p3 = reader.Place(row + 3 * Step),
            p4 = reader.Place(row + 4 * Step),
            p5 = reader.Place(row + 5 * Step),
            p6 = reader.Place(row + 6 * Step),
            p7 = reader.Place(row + 7 * Step),
        };
    }

    /// <summary>Starts the copies of one step.</summary>
    public readonly void Start<TReader>(TReader reader, ArrayView<Chunk> from, ArrayView<Chunk> shared, int stage)
        where TReader : struct, IWgmmaReader
    {
        Start(reader, from, shared, stage, 0, p0);
        Start(reader, from, shared, stage, 1, p1);
        Start(reader, from, shared, stage, 2, p2);
        Start(reader, from, shared, stage, 3, p3);
        Start(reader, from, shared, stage, 4, p4);
        Start(reader, from, shared, stage, 5, p5);
        Start(reader, from, shared, stage, 6, p6);
        Start(reader, from, shared, stage, 7, p7);
    }

    private static void Start<TReader>(TReader reader, ArrayView<Chunk> from, ArrayView<Chunk> shared, int stage, int turn, WgmmaPixel pixel)
        where TReader : struct, IWgmmaReader
    {
        int chunk = Group.IdxX % WgmmaTile.DepthChunks, at = reader.Find(pixel, chunk);
        // Step is a multiple of 8, so the swizzle is the same in each turn.
        int to = stage + WgmmaTile.ByDepth(Group.IdxX / WgmmaTile.DepthChunks, chunk) + turn * Step * WgmmaTile.DepthChunks;
        AsyncCopy.Start(ref shared[to], ref from[at < 0 ? 0 : at], at < 0 ? 0 : 16);
    }
}
