using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>What <see cref="NetworkConversion"/> found in a file and wrote.</summary>
/// <param name="Source">What kind of file it was.</param>
/// <param name="Settings">As written.</param>
/// <param name="HasClusters">Whether NetVLAD's clusters were in it; where they are not, they are sought in the images of whoever uses it.</param>
/// <param name="PooledLength">Numbers of a descriptor before PCA.</param>
/// <param name="PcaLength">Numbers after it; null where there is none.</param>
/// <param name="LeftOut">What the file held beside that.</param>
public sealed record ConversionResult(string Source, NetworkSettings Settings, bool HasClusters, int PooledLength, int? PcaLength, IReadOnlyList<string> LeftOut);
