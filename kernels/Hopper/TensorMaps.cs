using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The tensor maps of a device, in a small block of its memory: one is made when its box is asked for first, and found again in every launch that copies the same box of the same buffer, so that a
/// step makes none. A map says nothing but what its <see cref="TensorBox"/> says, so one that was made for a buffer which is no more serves the next at that address.
/// </summary>
/// <param name="encode">Fills the bytes of a map.</param>
internal sealed class TensorMaps(Device device, TensorMaps.Encoder encode) : IDisposable
{
    /// <summary>A few for each layer and plan; when there are more, it begins anew.</summary>
    public const int Capacity = 1024;

    private const int Floats = TensorMapBytes.Length / sizeof(float);

    private readonly Dictionary<TensorBox, int> places = [];
    private readonly DeviceBuffer maps = device.Allocate(Capacity * Floats);

    /// <exception cref="InvalidOperationException">Nobody encodes it.</exception>
    public delegate void Encoder(in TensorBox box, Span<float> map);

    /// <summary>The map of a box, as a view of one.</summary>
    public ArrayView<TensorMapBytes> Of(in TensorBox box)
    {
        if (!places.TryGetValue(box, out int place))
        {
            if (places.Count == Capacity)
            {
                // Launches that read the maps which are written over must have ended.
                device.Synchronize();
                places.Clear();
            }
            place = places.Count;
            Span<float> map = stackalloc float[Floats];
            encode(box, map);
            device.Upload(map, View(place));
            places[box] = place;
        }
        return ((ArrayView1D<float, Stride1D.Dense>)View(place)).Cast<float, TensorMapBytes>().AsContiguous();
    }

    private ArrayView<float> View(int place) => maps.View.SubView(place * Floats, Floats);

    public void Dispose() => maps.Dispose();
}
