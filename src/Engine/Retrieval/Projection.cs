using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// A fitted PCA, whitening included where it was asked for, as one affine map: y = W·x + b, then L2 normalisation (1511.07247, section 5.2; a 1×1
/// convolution after the pooling layer). The mean μ is folded in: b = −W·μ. Stored with the weights as <c>pca.weight</c> [d, D], <c>pca.bias</c> [d]
/// and, where they are known, <c>pca.eigenvalues</c> [d]: nothing is computed from these, and the files of others keep the map alone.
/// </summary>
public sealed class Projection
{
    /// <param name="weight">[d, D] row-major, largest eigenvalue first.</param>
    /// <param name="bias">[d]</param>
    /// <param name="eigenvalues">[d], of the covariance over n − 1, descending; null or empty where they are not known.</param>
    public Projection(int inputLength, int outputLength, float[] weight, float[] bias, float[]? eigenvalues = null)
    {
        eigenvalues ??= [];
        if (weight.LongLength != (long)inputLength * outputLength || bias.Length != outputLength || eigenvalues.Length != outputLength && eigenvalues.Length != 0)
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

    /// <summary>[d], or empty where they are not known.</summary>
    public float[] Eigenvalues { get; }

    /// <summary>The first <paramref name="dimension"/> components; applying it equals <see cref="DescriptorMatrix.Cut"/> after the whole.</summary>
    /// <exception cref="UserErrorException">There are fewer components.</exception>
    public Projection Cut(int dimension)
    {
        if (dimension < 1 || dimension > OutputLength)
            throw new UserErrorException($"A PCA of {OutputLength} components cannot be cut to {dimension}: ask for 1 to {OutputLength}.");
        return new(InputLength, dimension, Weight[..(dimension * InputLength)], Bias[..dimension], Eigenvalues.Length == 0 ? [] : Eigenvalues[..dimension]);
    }

    /// <summary>Projects and L2-normalises every row: [n, D] → [n, d].</summary>
    /// <exception cref="UserErrorException">The rows are not of the length that it was fitted on.</exception>
    public DescriptorMatrix Apply(Device device, DescriptorMatrix descriptors)
    {
        const int chunk = 256;
        if (descriptors.Dimension != InputLength)
            throw new UserErrorException($"This PCA takes descriptors of {InputLength} numbers, not {descriptors.Dimension}: fit it again on descriptors of these weights.");
        var result = new DescriptorMatrix(descriptors.Rows, OutputLength, descriptors.Names);
        using var projector = new Projector(device, this, Math.Min(chunk, Math.Max(1, descriptors.Rows)));
        using var input = device.Allocate((long)Math.Min(chunk, Math.Max(1, descriptors.Rows)) * InputLength);
        for (int first = 0; first < descriptors.Rows; first += chunk)
        {
            int rows = Math.Min(chunk, descriptors.Rows - first);
            device.Upload(descriptors.Values.AsSpan(first * InputLength, rows * InputLength), input.View);
            projector.Apply(input.View, rows, result.Values.AsSpan(first * OutputLength, rows * OutputLength));
        }
        return result;
    }
}
