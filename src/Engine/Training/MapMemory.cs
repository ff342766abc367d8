namespace IlgpuNetVlad.Engine.Training;

/// <summary>Rows in memory, an array each: together they may be larger than one array.</summary>
internal sealed class MapMemory(int count) : IMapRows
{
    private readonly byte[][] rows = new byte[count][];

    public bool Find(ReadOnlySpan<byte> fingerprint) => false;

    public void Fill(byte[] fingerprint, IEnumerable<ReadOnlyMemory<byte>> rows)
    {
        int i = 0;
        foreach (var row in rows)
        {
            var kept = GC.AllocateUninitializedArray<byte>(row.Length);
            row.Span.CopyTo(kept);
            this.rows[i++] = kept;
        }
    }

    public void Read(int row, Span<byte> to) => rows[row].CopyTo(to);

    public void Forget() => Array.Clear(rows);

    public void Dispose() => Forget();
}
