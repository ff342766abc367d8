namespace IlgpuNetVlad.Engine.Training;

/// <summary>What mining chose for one anchor: images are numbers in the <see cref="TrainingSet"/>.</summary>
/// <param name="Positive">The potential positive nearest by cached descriptors.</param>
/// <param name="Negatives">Violating negatives, hardest first; never empty.</param>
/// <param name="Flip">All images of the tuple are mirrored.</param>
public sealed record TrainingTuple(int Query, int Positive, int[] Negatives, bool Flip);
