namespace IlgpuNetVlad.Engine.Training;

/// <summary>What training makes smaller; the kernels' <c>RankingLoss</c> gives the formulas.</summary>
public enum LossKind
{
    /// <summary>The weakly supervised ranking loss (1511.07247, equation 7): the best positive against every violating negative.</summary>
    Weak,

    /// <summary>One positive, one negative, the same hinge.</summary>
    Triplet,

    /// <summary>½‖q − p‖² + ½ Σ max(0, m − ‖q − n‖²).</summary>
    Contrastive,
}
