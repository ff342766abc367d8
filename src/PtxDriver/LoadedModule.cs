namespace IlgpuNetVlad.PtxDriver;

/// <summary>What a module's handle stands for.</summary>
/// <param name="Kernels">Handles by name.</param>
internal sealed record LoadedModule(IReadOnlyDictionary<string, nint> Kernels);
