using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>The map of one image that a layer takes, and how its numbers and those of what it makes lie in memory.</summary>
/// <param name="Input">Shape of what it takes.</param>
/// <param name="XBf16">Whether that, and its gradient, is rows of bf16 (<see cref="Bf16Rows"/>) and not fp32.</param>
/// <param name="YBf16">The same of what it makes.</param>
public readonly record struct LayerMaps(MapShape Input, bool XBf16 = false, bool YBf16 = false)
{
    public static implicit operator LayerMaps(MapShape input) => new(input);

    /// <summary>The same maps of another layer, in and out in the same kind of numbers.</summary>
    internal static LayerMaps Alike(MapShape input, bool bf16) => new(input, bf16, bf16);
}
