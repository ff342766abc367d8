namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>One answer to the question which known place a photograph shows.</summary>
/// <param name="Place">The known one.</param>
/// <param name="SquaredDistance">Of the two descriptors, 0 … 4.</param>
public readonly record struct PlaceAnswer(Place Place, float SquaredDistance)
{
    /// <summary>
    /// Cosine of the angle between the two descriptors, which have length 1: 1 for the same picture. To be compared among answers of one index alone; the nearest place need not be the right one, and what is
    /// a good value differs from network to network.
    /// </summary>
    public float Similarity => 1 - SquaredDistance / 2;
}
