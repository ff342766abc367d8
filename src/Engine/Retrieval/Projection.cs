namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// A fitted PCA, whitening included where it was asked for, as one affine map: y = W·x + b, then L2 normalisation (1511.07247, section 5.2; a 1×1
/// convolution after the pooling layer). The mean μ is folded in: b = −W·μ. Stored with the weights as <c>pca.weight</c> [d, D], <c>pca.bias</c> [d]
/// and <c>pca.eigenvalues</c> [d].
/// </summary>
public sealed class Projection
{
    /// <param name="weight">[d, D] row-major, largest eigenvalue first.</param>
    /// <param name="bias">[d]</param>
    /// <param name="eigenvalues">[d], of the covariance over n − 1, descending.</param>
    public Projection(int inputLength, int outputLength, float[] weight, float[] bias, float[] eigenvalues)
    {
        if (weight.LongLength != (long)inputLength * outputLength || bias.Length != outputLength || eigenvalues.Length != outputLength)
            throw new ArgumentException($"A projection from {inputLength} to {outputLength} numbers cannot have {weight.LongLength} weights, {bias.Length} biases and {eigenvalues.Length} eigenvalues.");
        InputLength = inputLength;
        OutputLength = outputLength;
        Weight = weight;
        Bias = bias;
        Eigenvalues = eigenvalues;
    }

    /// <summary>D, numbers of a descriptor before.</summary>
    public int InputLength { get; }

    /// <summary>d, numbers of a descriptor after.</summary>
    public int OutputLength { get; }

    public float[] Weight { get; }
    public float[] Bias { get; }
    public float[] Eigenvalues { get; }

    /// <summary>The first <paramref name="dimension"/> components; applying it equals <see cref="DescriptorMatrix.Cut"/> after the whole.</summary>
    /// <exception cref="UserErrorException">There are fewer components.</exception>
    public Projection Cut(int dimension)
    {
        if (dimension < 1 || dimension > OutputLength)
            throw new UserErrorException($"A PCA of {OutputLength} components cannot be cut to {dimension}: ask for 1 to {OutputLength}.");
        return new(InputLength, dimension, Weight[..(dimension * InputLength)], Bias[..dimension], Eigenvalues[..dimension]);
    }
}
