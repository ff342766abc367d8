namespace IlgpuNetVlad.Engine.Models;

/// <summary>Names of the projection's tensors in files.</summary>
internal static class PcaNames
{
    public const string Weight = "pca.weight", Bias = "pca.bias", Eigenvalues = "pca.eigenvalues";
}
