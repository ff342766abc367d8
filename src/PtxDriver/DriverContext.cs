namespace IlgpuNetVlad.PtxDriver;

/// <summary>What a context's handle stands for.</summary>
internal sealed class DriverContext;
