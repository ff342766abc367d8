namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Places buffers that are alive at different times in one block of memory: the largest first, each at the lowest place that is free all the
/// time that it is alive. In inference this becomes two maps that take turns; in training, whatever the way back does not read again is shared.
/// </summary>
internal sealed class ArenaPlanner
{
    // Kernels like their maps to begin at a cache line, and CUDA at 256 bytes.
    private const long Alignment = 64;

    private readonly List<Piece> pieces = [];

    /// <summary>A buffer of the block.</summary>
    /// <param name="first">Time of its first write.</param>
    /// <param name="last">Time of its last read.</param>
    public sealed class Piece(long length, int first, int last)
    {
        /// <summary>Numbers.</summary>
        public long Length { get; } = length;

        public int First { get; } = first;
        public int Last { get; internal set; } = last;

        /// <summary>First number in the block; known after <see cref="Place"/>.</summary>
        public long Offset { get; internal set; }

        internal long Room => (Length + Alignment - 1) / Alignment * Alignment;

        internal bool Meets(Piece other) => First <= other.Last && other.First <= Last;
    }

    /// <summary>Asks for a buffer that is alive at one time, or from one time to another.</summary>
    public Piece Add(long length, int first, int? last = null)
    {
        var piece = new Piece(length, first, last ?? first);
        pieces.Add(piece);
        return piece;
    }

    /// <summary>Gives every buffer its place.</summary>
    /// <returns>Numbers of the whole block.</returns>
    public long Place()
    {
        var placed = new List<Piece>();
        long total = 0;
        // Equal ones in the order in which they were asked for, so that the same network has the same layout every time.
        foreach (var piece in pieces.OrderByDescending(p => p.Length))
        {
            piece.Offset = 0;
            foreach (var other in placed.Where(piece.Meets).OrderBy(p => p.Offset))
            {
                if (piece.Offset + piece.Room <= other.Offset)
                    break;
                piece.Offset = Math.Max(piece.Offset, other.Offset + other.Room);
            }
            placed.Add(piece);
            total = Math.Max(total, piece.Offset + piece.Room);
        }
        return total;
    }
}
