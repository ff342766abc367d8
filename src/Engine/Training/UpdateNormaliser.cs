namespace IlgpuNetVlad.Engine.Training;

/// <summary>What a batch's summed gradient is divided by before the update.</summary>
public enum UpdateNormaliser
{
    /// <summary>The triplets that violate the margin in the fresh forward pass, as the method's authors do.</summary>
    Violating,

    /// <summary>The negatives that mining selected, as the best-known PyTorch port does.</summary>
    Selected,

    /// <summary>The batch's tuples.</summary>
    Tuples,

    /// <summary>Nothing.</summary>
    One,
}
