namespace IlgpuNetVlad.Engine.Training;

/// <summary>Bytes of a run's growing files at a checkpoint.</summary>
internal sealed record RunLengths(long Log = 0, long Metrics = 0);
