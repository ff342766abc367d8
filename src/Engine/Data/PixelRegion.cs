namespace IlgpuNetVlad.Engine.Data;

/// <summary>A part of an image in pixels from its upper left corner, as lists of queries give it.</summary>
public readonly record struct PixelRegion(double Left, double Top, double Right, double Bottom);
