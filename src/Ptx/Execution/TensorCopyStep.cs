namespace IlgpuNetVlad.Ptx;

/// <summary>
/// cp.async.bulk.tensor from global to shared memory, tiled or im2col: each lane starts a copy that a tensor map describes. The numbers are taken from memory when it starts, and arrive when an
/// mbarrier's phase is waited for (<see cref="BulkCopies"/>). What lies beside the tensor comes as zeros, and counts.
/// </summary>
/// <param name="to">Place in shared memory.</param>
/// <param name="map">Address of the tensor map.</param>
/// <param name="coordinates">Slots of where the copy begins, dimension by dimension.</param>
/// <param name="barrier">Of the mbarrier that counts the bytes.</param>
/// <param name="offsets">Of im2col: slots of what is added to columns and rows; null for a tiled copy.</param>
internal sealed unsafe class TensorCopyStep((int Slot, long Offset) to, (int Slot, long Offset) map, int[] coordinates, (int Slot, long Offset) barrier, int[]? offsets) : MemoryStep
{
    private const int PieceBytes = 16, TargetAlignment = 128;

    public override void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                Start(warp, i);
    }

    private void Start(Warp warp, int lane)
    {
        int thread = warp.FirstThread + lane;
        ulong target = warp.Lane(to.Slot)[lane] + (ulong)to.Offset, mapAt = warp.Lane(map.Slot)[lane] + (ulong)map.Offset;
        if (mapAt % TensorMap.Alignment != 0 || target % TargetAlignment != 0)
            warp.Block.Stop(PtxFaultKind.Misaligned, this, thread, $"a tensor map stands at a multiple of {TensorMap.Alignment} bytes and goes to a multiple of {TargetAlignment}, not 0x{mapAt:x} and {target}");
        byte* bytes = warp.Block.Global.Find(mapAt, TensorMap.Bytes);
        if (bytes == null)
            warp.Block.Stop(PtxFaultKind.OutOfBounds, this, thread, $"a tensor map at {warp.Block.Global.Describe(mapAt)}");
        var tensor = TensorMap.Decode(new(bytes, TensorMap.Bytes));
        if (tensor is null || tensor.Sizes.Length != coordinates.Length || tensor.IsIm2col != (offsets is not null))
        {
            warp.Block.Stop(PtxFaultKind.TensorMap, this, thread, tensor is null ? $"there is no tensor map at 0x{mapAt:x}" : $"the tensor map is of {tensor.Sizes.Length} dimensions, {(tensor.IsIm2col ? "im2col" : "tiled")}");
            return;
        }
        if (!warp.Block.MapsAcquired.Contains((thread, mapAt)))
            Note(warp, thread, (PtxFaultKind.Unfenced, "a copy reads a tensor map that the host has written, and its thread has passed no fence.proxy.tensormap for it"));
        int bar = Shared(warp, lane, warp.Lane(barrier.Slot)[lane] + (ulong)barrier.Offset, MemoryBarriers.Bytes);
        Note(warp, thread, warp.Block.Barriers.Used(bar, thread, byCopy: true));
        int whole = tensor.Lines * tensor.LineBytes;
        if (target + (ulong)whole > (ulong)warp.Block.Shared.Bytes)
            warp.Block.Stop(PtxFaultKind.OutOfBounds, this, thread, $"{whole} bytes at {target} in shared memory of {warp.Block.Shared.Bytes}");
        Note(warp, thread, warp.Block.Shared.StartBulkCopy((int)target, whole, thread));
        int[] start = [.. coordinates.Select(c => (int)warp.Lane(c)[lane])], tap = offsets is null ? [] : [.. offsets.Select(o => (int)(ushort)warp.Lane(o)[lane])];
        Copy(warp, lane, tensor, (int)target, bar, tensor.LinesAt(start, tap));
    }

    private void Copy(Warp warp, int lane, TensorMap tensor, int target, int bar, IEnumerable<int[]> lines)
    {
        int place = target, pieceNumbers = Math.Max(1, PieceBytes / tensor.ElementBytes);
        Span<ulong> addresses = stackalloc ulong[Warp.Lanes];
        foreach (int[] line in lines)
        {
            int inside = 0;
            for (int first = 0; first < tensor.LineBytes; first += PieceBytes, place += PieceBytes, line[0] += pieceNumbers)
            {
                byte[] piece = new byte[PieceBytes];
                for (int n = 0; n < pieceNumbers; n++)
                {
                    int[] at = [line[0] + n, .. line.AsSpan(1)];
                    if (tensor.AddressOf(at) is not { } address)
                        continue;
                    byte* from = Global(warp, lane, address, tensor.ElementBytes);
                    new ReadOnlySpan<byte>(from, tensor.ElementBytes).CopyTo(piece.AsSpan(n * tensor.ElementBytes));
                    if (n == 0 && inside < Warp.Lanes)
                        addresses[inside++] = address / PieceBytes * PieceBytes;
                }
                warp.Block.Copies.Start(this, warp.FirstThread + lane, Swizzled(place, tensor.Swizzle), piece, bar);
            }
            // As a request of its own for each line, 16 bytes a lane; it passes no bank one by one.
            if (inside > 0)
                warp.Block.Count?.Accessed(this, addresses, inside == Warp.Lanes ? uint.MaxValue : (1u << inside) - 1, PieceBytes, false);
        }
    }

    /// <summary>Groups of 16 bytes of a line change places by the line's number in a pattern of eight, seen from the block's address 0.</summary>
    private static int Swizzled(int place, int width) => width == 0 ? place : place ^ (place >> 7 & width / PieceBytes - 1) << 4;
}

/// <summary>fence.proxy.tensormap: copies that the thread starts from now on read the tensor map at an address as it stands in memory.</summary>
internal sealed class TensorMapFenceStep((int Slot, long Offset) map, int bytes) : MemoryStep
{
    public override unsafe void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            ulong at = warp.Lane(map.Slot)[i] + (ulong)map.Offset;
            if (at % TensorMap.Alignment != 0 || bytes != TensorMap.Bytes)
                warp.Block.Stop(PtxFaultKind.Misaligned, this, warp.FirstThread + i, $"the fence of a tensor map is for {TensorMap.Bytes} bytes at a multiple of {TensorMap.Alignment}, not {bytes} at 0x{at:x}");
            if (warp.Block.Global.Find(at, bytes) == null)
                warp.Block.Stop(PtxFaultKind.OutOfBounds, this, warp.FirstThread + i, $"a tensor map at {warp.Block.Global.Describe(at)}");
            warp.Block.MapsAcquired.Add((warp.FirstThread + i, at));
        }
    }
}
