using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>The large products inside NetVLAD on CUDA; all else is pointwise, or sums over a row, and the same for every kind of product.</summary>
internal interface INetVladProducts
{
    static abstract IReadOnlyList<SimtKernel> ForwardKernels { get; }

    static abstract IReadOnlyList<SimtKernel> BackwardKernels { get; }

    /// <summary>Floats of scratch memory that a product needs.</summary>
    /// <param name="backward">Whether the way back is taken too.</param>
    static abstract long Scratch(in NetVladShape s, bool backward);

    /// <summary>Parts in which <see cref="Dots"/> leaves a sum where the matrix is one of every image.</summary>
    static abstract int DotParts { get; }

    /// <summary>Where <see cref="Moments"/> leaves its sums.</summary>
    static abstract NetVladMoments MomentsOf(in NetVladShape s);

    /// <summary>result[row, k] = Σ_d x[row, d]·m[k, d], m [K,D] the same for all images.</summary>
    static abstract void Dots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch);

    /// <summary>result[row, part, k], whose sum over the parts is Σ_d x[row, d]·m[image, k, d].</summary>
    static abstract void ImageDots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch);

    /// <summary>Σ_i weight[i, k]·inverse[i]·x[i, d] of each image.</summary>
    static abstract void Moments(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> inverse, ArrayView<float> weights, ArrayView<float> result, ArrayView<float> scratch);

    /// <summary>result[row, d] = Σ_k a[row, k]·residual[image, k, d] + ds[row, k]·w[k, d], the gradient of x̂.</summary>
    static abstract void Spread(
        Device device, in NetVladShape s, ArrayView<float> a, ArrayView<float> residual, ArrayView<float> ds, ArrayView<float> w, ArrayView<float> result, ArrayView<float> scratch);
}
