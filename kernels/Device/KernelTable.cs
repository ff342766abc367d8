namespace IlgpuNetVlad.Kernels;

/// <summary>Every operation of the engine. Tests, <c>kernels list</c> and the check of a device walk this table, so no variant escapes.</summary>
public static class KernelTable
{
    public static IReadOnlyList<Operation> All { get; } =
    [
        Convolution.ForwardOperation,
        Convolution.ForwardPooledOperation,
        Convolution.ForwardWindowedOperation,
        Convolution.ForwardBandOperation,
        Convolution.ForwardPixelsOperation,
        Convolution.ForwardWindowedPixelsOperation,
        Convolution.BackwardDataOperation,
        Convolution.BackwardWeightsOperation,
        Convolution.BackwardWeightsPixelsOperation,
        Pixels.Operation,
        ReluMask.Operation,
        MaxPooling.ForwardOperation,
        MaxPooling.BackwardOperation,
        L2Normalization.ForwardOperation,
        L2Normalization.BackwardOperation,
        NetVlad.ForwardOperation,
        NetVlad.BackwardOperation,
        GlobalPooling.MaxForwardOperation,
        GlobalPooling.MaxBackwardOperation,
        GlobalPooling.AverageForwardOperation,
        GlobalPooling.AverageBackwardOperation,
        LocalResponse.ForwardOperation,
        LocalResponse.BackwardOperation,
        Gemm.Operation,
        Gram.Operation,
        SgdUpdate.Operation,
        UpdateScale.Operation,
        Addition.Operation,
        NearestNeighbours.Operation,
        RankingLoss.WeakOperation, RankingLoss.TripletOperation, RankingLoss.ContrastiveOperation,
    ];

    /// <summary>Every CUDA kernel that some variant launches, once.</summary>
    public static IEnumerable<SimtKernel> CudaKernels => All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct();
}
