namespace IlgpuNetVlad.Engine.Layers;

/// <summary>One image's map between two layers, [Height, Width, Channels]. A descriptor is a map of one pixel.</summary>
public readonly record struct MapShape(int Height, int Width, int Channels)
{
    public int Pixels => Height * Width;

    /// <summary>Numbers of one image's map.</summary>
    public long Length => (long)Height * Width * Channels;

    public override string ToString() => $"{Height}×{Width}×{Channels}";
}
