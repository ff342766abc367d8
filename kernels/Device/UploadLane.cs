using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The way of batches from the host to a device, beside the kernels: a stream of its own copies a batch to one of two places there while kernels still read what came out of the other.
/// <code>
/// copies      ▏batch 0 ▏batch 1 ▏        ▏batch 2 ▏              a place is filled again once the kernels' stream has taken out what was there
/// kernels               ▏0 to its place, layers … ▏1 to its place, layers …
/// </code>
/// The host waits for nothing but, in <see cref="WaitUntilSent"/>, for its own memory. On a device that does not work beside the host there are no places between, and what was sent is copied
/// when it is taken.
/// </summary>
public sealed class UploadLane : IDisposable
{
    private const int Places = 2;

    private readonly Device device;
    private readonly WorkStream copies;
    private readonly DeviceBuffer[] places;
    private readonly StreamMark[] arrived, taken;
    private readonly bool staged;
    private int next;
    private (HostBuffer Buffer, int Count) sent;

    /// <param name="length">Floats of the largest batch.</param>
    public UploadLane(Device device, long length)
    {
        this.device = device;
        staged = device.WorksBesideHost;
        copies = device.OpenStream();
        places = [.. Enumerable.Range(0, staged ? Places : 0).Select(_ => device.Allocate(length))];
        arrived = [.. Enumerable.Range(0, Places).Select(_ => device.CreateMark())];
        taken = [.. Enumerable.Range(0, Places).Select(_ => device.CreateMark())];
    }

    /// <summary>Bytes that it allocates on a device.</summary>
    public static long Bytes(Device device, long length) => !device.WorksBesideHost ? 0 : Places * Math.Max(length, 1) * sizeof(float);

    /// <summary>Starts the copy of a batch; <see cref="Take"/> follows before the next.</summary>
    /// <param name="from">Stays as it is until <see cref="WaitUntilSent"/> returns.</param>
    public void Send(HostBuffer from, int count)
    {
        sent = (from, count);
        if (!staged)
            return;
        copies.WaitFor(taken[next]);
        copies.Upload(from, count, places[next]);
        copies.Set(arrived[next]);
    }

    /// <summary>What was sent is at the beginning of a view, for every kernel that is launched from now on.</summary>
    public void Take(ArrayView<float> to)
    {
        if (!staged)
        {
            device.Kernels.Upload(sent.Buffer, sent.Count, to);
            device.Kernels.Set(arrived[next]);
            return;
        }
        device.Kernels.WaitFor(arrived[next]);
        if (sent.Count > 0)
            device.Kernels.Copy(places[next].View.SubView(0, sent.Count), to.SubView(0, sent.Count));
        device.Kernels.Set(taken[next]);
        next = (next + 1) % Places;
    }

    /// <summary>The host waits until what was sent is out of its memory.</summary>
    public void WaitUntilSent() => arrived[staged ? (next + Places - 1) % Places : next].Wait();

    public void Dispose()
    {
        // What was sent may be given up behind this.
        device.GiveUp(WaitUntilSent);
        foreach (var mark in arrived.Concat(taken))
            mark.Dispose();
        foreach (var place in places)
            place.Dispose();
        copies.Dispose();
    }
}
