using System.Buffers.Binary;

namespace IlgpuNetVlad.Ptx;

/// <summary>The asynchronous copies of one thread: those started since the last commit, and the groups that are on their way.</summary>
internal sealed class PendingCopies
{
    private readonly Queue<Copy> copies = new();
    private readonly Queue<int> groups = new();
    private int open;

    /// <param name="Data">The bytes that come, the first one lowest: 16 at the most.</param>
    private readonly record struct Copy(int Address, int Bytes, UInt128 Data);

    public void Clear()
    {
        copies.Clear();
        groups.Clear();
        open = 0;
    }

    public void Start(int address, int bytes, UInt128 data)
    {
        copies.Enqueue(new(address, bytes, data));
        open++;
    }

    public void Commit()
    {
        groups.Enqueue(open);
        open = 0;
    }

    /// <summary>The oldest groups arrive until no more than so many are on their way.</summary>
    public void WaitForAllBut(int count, SharedMemory shared, int thread)
    {
        Span<byte> data = stackalloc byte[16];
        while (groups.Count > count)
            for (int left = groups.Dequeue(); left > 0; left--)
            {
                var copy = copies.Dequeue();
                BinaryPrimitives.WriteUInt128LittleEndian(data, copy.Data);
                shared.EndCopy(copy.Address, data[..copy.Bytes], thread);
            }
    }
}
