namespace IlgpuNetVlad.Engine.Data;

/// <summary>How many images of a set have one size.</summary>
/// <param name="Height">Pixels of the upright image.</param>
public readonly record struct ImageSizeCount(int Height, int Width, int Images);
