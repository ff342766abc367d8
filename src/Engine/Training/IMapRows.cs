namespace IlgpuNetVlad.Engine.Training;

/// <summary>A place for rows of equally many bytes, written once, in order, then read in any order by several threads.</summary>
internal interface IMapRows : IDisposable
{
    /// <summary>Whether all rows are already there, from an earlier run of the same contents.</summary>
    /// <param name="fingerprint">Of everything that the rows depend on.</param>
    bool Find(ReadOnlySpan<byte> fingerprint);

    /// <summary>Takes all rows. If the enumeration throws there are none.</summary>
    /// <exception cref="UserErrorException">There is no room for them.</exception>
    void Fill(byte[] fingerprint, IEnumerable<ReadOnlyMemory<byte>> rows);

    /// <exception cref="UserErrorException">The row can no longer be read.</exception>
    void Read(int row, Span<byte> to);

    /// <summary>Gives up the rows for good: no later run will find them.</summary>
    void Forget();
}
