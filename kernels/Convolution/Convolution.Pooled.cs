using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    /// <summary>
    /// A forward pass and the 2×2 maxima of its result in one, for inference: the map between is never written. An odd row or column at the end is dropped, as by
    /// <see cref="MaxPooling"/> without Ceil. The numbers are those of both operations one after the other by the same variant, bit for bit.
    /// </summary>
    public static readonly Operation<ConvolutionShape> ForwardPooledOperation = new()
    {
        Name = "convolution.forward-pooled",
        Contract = "y = max over 2×2 of act(conv(x, w) + b)   x [B,H,W,Ic], w [R,S,Ic/G,Oc], b [Oc], y [B,P/2,Q/2,Oc]",
        Check = s => s.Wrong() ?? (s.P < 2 || s.Q < 2 ? $"a result of {s.P}×{s.Q} has no window of 2×2" : s.Beside != 0 ? "a pooled result cannot be a part of a joined map" : null),
        Buffers = s =>
        [
            X(s, Access.Read), new("w", s.WLength, Access.Read), new("b", s.HasBias * s.Oc, Access.Read),
            BufferSpec.Map("y", (long)s.B * (s.P / 2) * (s.Q / 2), s.Oc, s.YBf16, Access.Write),
        ],
        HasBf16Maps = HasBf16,
        Flops = s => s.Flops,
        // The maximum of four sums has no larger error than the worst of them, which may be twice their mean error.
        Tolerance = s => 2 * SumTolerance(s.R * s.S * s.GroupIc) + s.YBf16 * Bf16Rows.Rounding,
        Variants =
        [
            new("host-winograd", VariantKind.Host, WinogradPreparation<WinogradFilter3>(pooled: true), HostWinograd<WinogradFilter3>.ForwardWorkspace, WinogradFilter<WinogradFilter3>.Refuses),
            TensorCoreFewChannels<Bf16Numbers>.ForwardPooled,
            Tma.ForwardPooled,
            TensorCore<WgmmaConvolution, Bf16Numbers>.ForwardPooled,
            TensorCore<MmaConvolution<NarrowTile, Bf16Numbers>, Bf16Numbers>.ForwardPooled,
            TensorCore<MmaConvolution<LargeTile, Bf16Numbers>, Bf16Numbers>.ForwardPooled,
            TensorCore<MmaConvolution<WideTile, Bf16Numbers>, Bf16Numbers>.ForwardPooled,
            TensorCoreFewChannels<Tf32Numbers>.ForwardPooled,
            TensorCore<MmaConvolution<NarrowTile, Tf32Numbers>, Tf32Numbers>.ForwardPooled,
            TensorCore<MmaConvolution<WideTile, Tf32Numbers>, Tf32Numbers>.ForwardPooled,
            SimtLarge.NarrowForwardPooled,
            SimtLarge.ForwardPooled,
            new("simt-32x32x16", VariantKind.Simt, ForwardPooledSimt, kernels: Simt.ForwardPooled),
            new("reference", VariantKind.Reference, ForwardPooledReference),
        ],
        Examples =
        [
            new(1, 16, 24, 16, 20, 3, 3, 1, 1, Relu: 1),
            new(2, 15, 17, 33, 70, 3, 3, 1, 1, Relu: 1),
            new(2, 14, 19, 16, 16, 3, 3, 1, 0, HasBias: 0),
            new(3, 5, 7, 3, 34, 3, 3, 1, 1, Relu: 1),
            new(1, 2, 2, 1, 1, 1, 1),
            new(2, 9, 11, 6, 8, 5, 5, 2, 2, Groups: 2, Relu: 1),
            new(0, 16, 16, 16, 16, 3, 3, 1, 1),
            new(2, 11, 13, 17, 69, 3, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1),
            new(1, 10, 9, 3, 12, 3, 3, 1, 1, Relu: 1, YBf16: 1),
            new(1, 35, 11, 66, 8, 3, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1),
            new(1, 12, 13, 8, 136, 3, 3, 1, 1, Groups: 2, Relu: 1),
        ],
    };

    /// <summary>Whether a device has a kernel of its own for the two in one.</summary>
    public static bool FusesPooling(Device device, in ConvolutionShape shape)
        => ForwardPooledOperation.Check(shape) is null && ForwardOperation.Choose(device, shape) is { Kind: not VariantKind.Reference } separate
            && ForwardPooledOperation.Choose(device, shape) is { } fused && fused.Kind == separate.Kind && fused.Name == separate.Name;
}
