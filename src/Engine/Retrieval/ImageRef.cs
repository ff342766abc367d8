namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>An image of a set as it goes through the network.</summary>
/// <param name="Image">Its number in the set.</param>
/// <param name="Flip">Mirrored left to right.</param>
public readonly record struct ImageRef(int Image, bool Flip = false);
