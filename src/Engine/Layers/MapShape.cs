using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>One image's map between two layers, [Height, Width, Channels]. A descriptor is a map of one pixel.</summary>
public readonly record struct MapShape(int Height, int Width, int Channels)
{
    public int Pixels => Height * Width;

    /// <summary>Numbers of one image's map.</summary>
    public long Length => (long)Height * Width * Channels;

    /// <summary>Floats of a buffer that one image's map takes: two numbers each in rows of bf16, which are filled up to whole chunks.</summary>
    public long Floats(bool bf16) => bf16 ? Bf16Rows.Floats(Pixels, Channels) : Length;

    public override string ToString() => $"{Height}×{Width}×{Channels}";
}
