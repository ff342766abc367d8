using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>PCA and whitening of 40 descriptors of 64 numbers: fewer samples than numbers, so the dual form; the same rows in their own first 16 directions
/// take the covariance.</summary>
public sealed class GoldenPca : IGoldenOperation
{
    public string Op => "pca";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int k = file.Integer("k");
        var x = Matrix(file, "X");
        var probe = Matrix(file, "probe");
        yield return new("pca_projection", () =>
        {
            var pca = PrincipalComponents.Fit(Devices.Cpu, x, k, whiten: false);
            GoldenCase.AssertClose(pca.Eigenvalues, file.Values("eigenvalues"), GoldenCase.ForwardTolerance, "eigenvalues");
            GoldenCase.AssertClose(Absolute(pca, probe), file.Values("abs_projected"), GoldenCase.ForwardTolerance, "projections");
        });
        yield return new("pca_mean", () =>
        {
            // W μ + b = 0: the mean is folded into the bias.
            var pca = PrincipalComponents.Fit(Devices.Cpu, x, k, whiten: false);
            var mean = file.Values("mean");
            float[] product = [.. Enumerable.Range(0, k).Select(i => -(float)Enumerable.Range(0, mean.Length).Sum(j => (double)pca.Weight[i * mean.Length + j] * mean[j]))];
            GoldenCase.AssertClose(pca.Bias, product, GoldenCase.ForwardTolerance, "bias");
        });
        yield return new("pca_whitened", () =>
        {
            var whitened = PrincipalComponents.Fit(Devices.Cpu, x, k).Apply(Devices.Cpu, probe);
            var gram = new float[probe.Rows * probe.Rows];
            for (int a = 0; a < probe.Rows; a++)
                for (int b = 0; b < probe.Rows; b++)
                    gram[a * probe.Rows + b] = (float)Enumerable.Range(0, k).Sum(j => (double)whitened.Row(a)[j] * whitened.Row(b)[j]);
            GoldenCase.AssertClose(gram, file.Values("whitened_l2_gram"), GoldenCase.ForwardTolerance, "products of whitened, normalised rows");
        });
    }

    private static DescriptorMatrix Matrix(GoldenFile file, string name) => new(file.Tensor(name).Shape[0], file.Tensor(name).Shape[1], file.Values(name));

    private static float[] Absolute(Projection pca, DescriptorMatrix probe)
    {
        // Before normalisation, which Apply does: the affine map itself.
        var result = new float[probe.Rows * pca.OutputLength];
        for (int i = 0; i < probe.Rows; i++)
            for (int o = 0; o < pca.OutputLength; o++)
            {
                double sum = pca.Bias[o];
                for (int j = 0; j < pca.InputLength; j++)
                    sum += (double)pca.Weight[o * pca.InputLength + j] * probe.Row(i)[j];
                result[i * pca.OutputLength + o] = (float)Math.Abs(sum);
            }
        return result;
    }
}
