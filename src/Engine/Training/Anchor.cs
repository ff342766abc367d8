namespace IlgpuNetVlad.Engine.Training;

/// <summary>An image that asks in training.</summary>
/// <param name="Image">Its number in the <see cref="TrainingSet"/>.</param>
/// <param name="Positives">Images that may show the same place, ascending.</param>
/// <param name="FirstCandidate">Negatives are sought among images FirstCandidate … FirstCandidate + CandidateCount − 1.</param>
/// <param name="CandidateCount">See <paramref name="FirstCandidate"/>.</param>
public sealed record Anchor(int Image, int[] Positives, int FirstCandidate, int CandidateCount);
