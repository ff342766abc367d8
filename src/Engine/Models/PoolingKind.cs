namespace IlgpuNetVlad.Engine.Models;

/// <summary>How a map becomes a descriptor.</summary>
public enum PoolingKind
{
    /// <summary>Maximum of each channel (f_max), a baseline.</summary>
    Max,

    /// <summary>Mean of each channel, a baseline.</summary>
    Average,

    /// <summary>NetVLAD, version 1: the assignment has no bias. The authors' experiments and published weights are this one.</summary>
    NetVlad,

    /// <summary>NetVLAD, version 2: with a bias, as the paper's text has it.</summary>
    NetVladV2,
}
