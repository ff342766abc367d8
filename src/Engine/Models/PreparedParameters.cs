using ILGPU;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// What layers of one network made of their parameters (<see cref="Layer.Prepare"/>), which may be several times as large as these, and takes time to make. Plans without a way back that
/// share it, such as those of images of several sizes, find there what an earlier one made wherever they run the same variants.
/// </summary>
internal sealed class PreparedParameters(Device device) : IDisposable
{
    private readonly Dictionary<Key, Entry> entries = [];

    /// <summary>What tells one preparation from another.</summary>
    /// <param name="First">The layer's first parameter.</param>
    /// <param name="Layout">Of <see cref="Layer.PreparedLayout"/>.</param>
    public readonly record struct Key(Parameter First, string Layout, long Length);

    /// <summary>One layer's.</summary>
    public sealed class Entry(ArrayView<float> numbers)
    {
        public ArrayView<float> Numbers { get; } = numbers;

        /// <summary>Sum of its parameters' versions when they were made; none at first.</summary>
        public long Version { get; set; } = -1;

        internal DeviceBuffer? Memory { get; init; }
    }

    /// <summary>Finds or allocates.</summary>
    public Entry this[Key key]
    {
        get
        {
            if (entries.TryGetValue(key, out var entry))
                return entry;
            var memory = device.Allocate(key.Length);
            return entries[key] = new(memory) { Memory = memory };
        }
    }

    public void Dispose()
    {
        foreach (var entry in entries.Values)
            entry.Memory!.Dispose();
    }
}
