namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution and the max pooling of its result.</summary>
/// <param name="Window">Rows and columns of a pooling window.</param>
/// <param name="Step">Pixels from one window to the next, at most <paramref name="Window"/>.</param>
/// <param name="Ceil">As of <see cref="PoolingShape"/>.</param>
public readonly record struct WindowedConvolutionShape(ConvolutionShape Convolution, int Window, int Step, int Ceil = 0)
{
    public PoolingShape Pooling => new(Convolution.B, Convolution.P, Convolution.Q, Convolution.Oc, Window, Step, Ceil);

    public override string ToString() => $"{Convolution}, windows of {Window}×{Window}, step {Step}{(Ceil != 0 ? ", ceil" : "")}";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => Convolution.Wrong() ?? Pooling.Wrong()
            ?? (Convolution.Beside != 0 ? "a pooled result cannot be a part of a joined map" : Step > Window ? "Step must be at most Window: no pixel may lie between windows" : null);
}
