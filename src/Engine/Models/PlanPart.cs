namespace IlgpuNetVlad.Engine.Models;

/// <summary>Which of a network's layers a plan runs, as seen from the first layer that learns.</summary>
internal enum PlanPart
{
    Whole,

    /// <summary>All before it: images in, the maps that it takes out.</summary>
    Frozen,

    /// <summary>It and all after it: such maps in, descriptors out.</summary>
    Learning,
}
