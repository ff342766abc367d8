using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Convolution (correlation, as everywhere in this field) with fused bias and ReLU:
/// <code>
/// y = act(conv(x, w) + b)
///   x [B, H, W, Ic]   w [R, S, Ic/Groups, Oc]   b [Oc]   y [B, P, Q, Oc]
/// y[i,p,q,o] = act(b[o] + Σ_{r,s,c} x[i, p·stride + r − pad, q·stride + s − pad, c] · w[r, s, c, o])
/// </code>
/// Backward takes y, whose sign is ReLU's mask: g = dy where not y ≤ 0, else 0 (NaN passes, as in PyTorch).
/// <code>
/// dx[i,h,w,c] = Σ g[i,p,q,o] · w[r,s,c,o]  over p·stride + r − pad = h, q·stride + s − pad = w
/// dw[r,s,c,o] = Σ_{i,p,q} x[…] · g[i,p,q,o]      db[o] = Σ_{i,p,q} g[i,p,q,o]
/// </code>
/// Where <see cref="ConvolutionShape.Beside"/> is not 0, y and dy are parts of a joined map [B, P, Q, Oc + Beside], whose other channels are left as they are.
/// 2·B·P·Q·Oc·R·S·Ic/Groups FLOPs in each direction; every buffer moves once.
/// </summary>
public static partial class Convolution
{
    /// <summary>y = act(conv(x, w) + b).</summary>
    public static readonly Operation<ConvolutionShape> ForwardOperation = new()
    {
        Name = "convolution.forward",
        Contract = "y = act(conv(x, w) + b)   x [B,H,W,Ic], w [R,S,Ic/G,Oc], b [Oc], y [B,P,Q,Oc]",
        Check = s => s.Wrong(),
        Buffers = s => [X(s, Access.Read), new("w", s.WLength, Access.Read), new("b", s.HasBias * s.Oc, Access.Read), Y("y", s, s.Beside == 0 ? Access.Write : Access.ReadWrite)],
        HasBf16Maps = HasBf16,
        Flops = s => s.Flops,
        Tolerance = s => SumTolerance(s.R * s.S * s.GroupIc) + s.YBf16 * Bf16Rows.Rounding,
        Variants =
        [
            new("host-winograd", VariantKind.Host, WinogradPreparation<WinogradFilter3>(pooled: false), HostWinograd<WinogradFilter3>.ForwardWorkspace, WinogradFilter<WinogradFilter3>.Refuses),
            new("host-winograd-5x5", VariantKind.Host, WinogradPreparation<WinogradFilter5>(pooled: false), HostWinograd<WinogradFilter5>.ForwardWorkspace, WinogradFilter<WinogradFilter5>.Refuses),
            new("host-6x4v", VariantKind.Host, DirectPreparation, HostConvolution.ForwardWorkspace),
            TensorCoreFewChannels<Bf16Numbers>.Forward,
            Tma.Forward,
            TensorCore<WgmmaConvolution, Bf16Numbers>.Forward,
            TensorCore<MmaConvolution<NarrowTile, Bf16Numbers>, Bf16Numbers>.Forward,
            TensorCore<MmaConvolution<LargeTile, Bf16Numbers>, Bf16Numbers>.Forward,
            TensorCore<MmaConvolution<WideTile, Bf16Numbers>, Bf16Numbers>.Forward,
            TensorCoreFewChannels<Tf32Numbers>.Forward,
            TensorCore<MmaConvolution<NarrowTile, Tf32Numbers>, Tf32Numbers>.Forward,
            TensorCore<MmaConvolution<WideTile, Tf32Numbers>, Tf32Numbers>.Forward,
            SimtLarge.NarrowForward,
            SimtLarge.Forward,
            new("simt-32x32x16", VariantKind.Simt, ForwardSimt, kernels: Simt.Forward),
            new("reference", VariantKind.Reference, ForwardReference),
        ],
        Examples = ExampleShapes,
    };

    /// <summary>dx from dy.</summary>
    public static readonly Operation<ConvolutionShape> BackwardDataOperation = new()
    {
        Name = "convolution.backward-data",
        Contract = "dx = convᵀ(dy·[y>0], w)   w [R,S,Ic/G,Oc], y, dy [B,P,Q,Oc], dx [B,H,W,Ic]",
        Check = s => s.Wrong(),
        Buffers = s => [new("w", s.WLength, Access.Read), Mask(s), Y("dy", s, Access.Read), X(s, Access.Write, "dx")],
        HasBf16Maps = HasBf16,
        Flops = s => s.Flops,
        Tolerance = s => SumTolerance(s.R * s.S * s.GroupOc) + s.XBf16 * Bf16Rows.Rounding,
        Variants =
        [
            new("host-winograd", VariantKind.Host, BackwardDataWinograd<WinogradFilter3>, HostWinograd<WinogradFilter3>.BackwardDataWorkspace, WinogradFilter<WinogradFilter3>.Refuses),
            new("host-winograd-5x5", VariantKind.Host, BackwardDataWinograd<WinogradFilter5>, HostWinograd<WinogradFilter5>.BackwardDataWorkspace, WinogradFilter<WinogradFilter5>.Refuses),
            new("host-6x4v", VariantKind.Host, BackwardDataHost, HostConvolution.BackwardDataWorkspace),
            Tma.BackwardData,
            TensorCore<WgmmaConvolution, Bf16Numbers>.BackwardData,
            TensorCore<MmaConvolution<NarrowTile, Bf16Numbers>, Bf16Numbers>.BackwardData,
            TensorCore<MmaConvolution<LargeTile, Bf16Numbers>, Bf16Numbers>.BackwardData,
            TensorCore<MmaConvolution<WideTile, Bf16Numbers>, Bf16Numbers>.BackwardData,
            TensorCore<MmaConvolution<NarrowTile, Tf32Numbers>, Tf32Numbers>.BackwardData,
            TensorCore<MmaConvolution<WideTile, Tf32Numbers>, Tf32Numbers>.BackwardData,
            SimtLarge.BackwardData,
            new("simt-32x32x16", VariantKind.Simt, BackwardDataSimt, kernels: Simt.BackwardData),
            new("reference", VariantKind.Reference, BackwardDataReference),
        ],
        Examples = ExampleShapes,
    };

    /// <summary>dw and db from x and dy.</summary>
    public static readonly Operation<ConvolutionShape> BackwardWeightsOperation = new()
    {
        Name = "convolution.backward-weights",
        Contract = "dw = Σ x·dy·[y>0], db = Σ dy·[y>0]   x [B,H,W,Ic], y, dy [B,P,Q,Oc], dw [R,S,Ic/G,Oc], db [Oc]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            X(s, Access.Read), Mask(s), Y("dy", s, Access.Read), new("dw", s.WLength, Access.Write), new("db", s.HasBias * s.Oc, Access.Write),
        ],
        HasBf16Maps = HasBf16,
        Flops = s => s.Flops,
        Tolerance = s => SumTolerance(s.B * s.P * s.Q),
        Variants =
        [
            new("host-winograd", VariantKind.Host, BackwardWeightsWinograd<WinogradFilter3>, HostWinogradGradient<WinogradFilter3>.Workspace, WinogradFilter<WinogradFilter3>.RefusesGradient),
            new("host-winograd-5x5", VariantKind.Host, BackwardWeightsWinograd<WinogradFilter5>, HostWinogradGradient<WinogradFilter5>.Workspace, WinogradFilter<WinogradFilter5>.RefusesGradient),
            new("host-6x4v", VariantKind.Host, BackwardWeightsHost, HostWeightGradient.Workspace),
            Tma.BackwardWeights,
            TensorCore<WgmmaConvolution, Bf16Numbers>.BackwardWeights,
            TensorCore<MmaConvolution<NarrowTile, Bf16Numbers>, Bf16Numbers>.BackwardWeights,
            TensorCore<MmaConvolution<LargeTile, Bf16Numbers>, Bf16Numbers>.BackwardWeights,
            TensorCore<MmaConvolution<WideTile, Bf16Numbers>, Bf16Numbers>.BackwardWeights,
            TensorCore<MmaConvolution<NarrowTile, Tf32Numbers>, Tf32Numbers>.BackwardWeights,
            TensorCore<MmaConvolution<WideTile, Tf32Numbers>, Tf32Numbers>.BackwardWeights,
            SimtLarge.BackwardWeights,
            new("simt-32x32x16", VariantKind.Simt, BackwardWeightsSimt, BackwardWeightsSimtWorkspace, kernels: [Simt.BackwardWeights, PartialSums.Kernel, Simt.BackwardBias, Simt.BackwardBiasSum]),
            new("reference", VariantKind.Reference, BackwardWeightsReference),
        ],
        Examples = ExampleShapes,
    };

    /// <param name="b">May be empty where <see cref="ConvolutionShape.HasBias"/> is 0.</param>
    /// <inheritdoc cref="ForwardOperation"/>
    public static void Forward(Device device, in ConvolutionShape shape, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> y, ArrayView<float> workspace)
        => ForwardOperation.Run(device, shape, [x, w, b, y], workspace);

    /// <param name="y">The forward result; may be empty where <see cref="ConvolutionShape.Relu"/> is 0.</param>
    /// <inheritdoc cref="BackwardDataOperation"/>
    public static void BackwardData(Device device, in ConvolutionShape shape, ArrayView<float> w, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx, ArrayView<float> workspace)
        => BackwardDataOperation.Run(device, shape, [w, y, dy, dx], workspace);

    /// <param name="y">The forward result; may be empty where <see cref="ConvolutionShape.Relu"/> is 0.</param>
    /// <param name="db">May be empty where <see cref="ConvolutionShape.HasBias"/> is 0.</param>
    /// <inheritdoc cref="BackwardWeightsOperation"/>
    public static void BackwardWeights(Device device, in ConvolutionShape shape, ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dw, ArrayView<float> db, ArrayView<float> workspace)
        => BackwardWeightsOperation.Run(device, shape, [x, y, dy, dw, db], workspace);

    /// <summary>Whether a shape runs on a device with its maps as they are kept in memory.</summary>
    /// <param name="learns">Also on the way back.</param>
    public static bool TakesMaps(Device device, in ConvolutionShape shape, bool learns)
        => ForwardOperation.Takes(device, shape) && (!learns || BackwardDataOperation.Takes(device, shape) && BackwardWeightsOperation.Takes(device, shape));

    /// <summary>Whether what <see cref="ForwardOperation"/> prepares of the weights serves <see cref="BackwardDataOperation"/> too: both take the same chunks of bf16.</summary>
    public static bool PreparesForBothWays(Device device, in ConvolutionShape shape)
        => ForwardOperation.Choose(device, shape) is { Precision: Precision.Bf16, Preparation: not null } && BackwardDataOperation.Choose(device, shape) is { Precision: Precision.Bf16, Preparation: not null };

    private static bool HasBf16(ConvolutionShape s) => (s.XBf16 | s.YBf16) != 0;

    private static BufferSpec X(in ConvolutionShape s, Access access, string name = "x") => BufferSpec.Map(name, (long)s.B * s.H * s.W, s.Ic, s.XBf16, access);

    /// <summary>A part of a joined map is whole chunks, so it reads as one row of them after the other.</summary>
    private static BufferSpec Y(string name, in ConvolutionShape s, Access access)
        => s.Beside == 0 ? BufferSpec.Map(name, (long)s.B * s.P * s.Q, s.Oc, s.YBf16, access)
            : s.YBf16 == 0 ? new(name, s.YLength, access) : BufferSpec.Map(name, s.YLength / 8, 8, 1, access);

    /// <summary>y where ReLU's mask is asked for.</summary>
    private static BufferSpec Mask(in ConvolutionShape s) => s.Relu != 0 ? Y("y", s, Access.Read) : new("y", 0, Access.Read);

    /// <summary>
    /// Errors of a sum of n products in fp32 grow like √n·u (u = 6e-8) where signs are mixed; eight of those, and a floor for short sums.
    /// </summary>
    private static double SumTolerance(int n) => 8 * 6e-8 * Math.Sqrt(Math.Max(n, 4));

    private static ConvolutionShape[] ExampleShapes =>
    [
        new(0, 5, 5, 3, 4, 3, 3, 1, 1),                        // empty batch
        new(1, 1, 1, 1, 1, 1, 1),                              // one pixel, one channel
        new(1, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 0),               // nothing but padding around one pixel
        new(2, 9, 11, 3, 16, 3, 3, 1, 1, 1, 1),
        new(1, 13, 8, 16, 24, 3, 3, 1, 1),
        new(2, 23, 27, 3, 8, 11, 11, 4, 0, 1, 1),              // AlexNet's first layer
        new(2, 12, 10, 3, 24, 5, 5, 2, 2, 1, 1),
        new(2, 7, 9, 8, 12, 5, 5, 1, 2, 2, 1),                 // groups
        new(3, 6, 5, 32, 20, 1, 1),
        new(1, 5, 7, 6, 65, 3, 3, 2, 1, 1, 0, 0),              // stride, a column beyond the widest panel
        new(1, 8, 6, 5, 33, 2, 4, 2, 0, 1, 1),                 // a kernel that is not square, rows that do not divide
        new(2, 6, 6, 12, 9, 3, 3, 3, 2, 3, 1, 0),              // stride beyond what the kernel covers
        new(1, 4, 8, 3, 5, 2, 2, 3, 0, 1, 1),                  // a last row and columns that no tap reads
        new(1, 7, 6, 4, 3, 1, 1, 2),                           // pixels between the taps
        new(1, 3, 4, 4, 5, 1, 1, 1, 2),                        // more padding than the kernel reaches
        new(1, 2, 170, 2, 17, 3, 3, 1, 1, 1, 1),               // more columns than a strip
        new(7, 11, 13, 2, 3, 3, 3, 1, 1, 1, 1),                // more than one slice of strips in the weights' gradient
        new(1, 4, 5, 37, 130, 3, 3, 1, 1, 1, 1),               // three panels
        new(1, 2, 3, 200, 5, 3, 3, 1, 1),                      // more of k than a chunk of weights, forward
        new(1, 2, 3, 5, 200, 3, 3, 1, 1, 1, 1),                // and backward; two blocks of channels
        new(2, 9, 14, 17, 66, 3, 3, 1, 1, 1, 1),               // Winograd: tiles cut at both ends, channels beyond a vector, two images and panels
        new(1, 22, 23, 16, 70, 3, 3, 1, 0, 1, 1, 0),           // without padding
        new(6, 7, 11, 33, 24, 3, 3, 1, 2, 1, 0),               // more padding than taps need; tiles enough for Winograd's gradient by weights
        new(6, 9, 14, 24, 26, 3, 3, 1, 1, 1, 1),               // the same, columns beyond a vector
        new(1, 12, 16, 20, 20, 3, 3, 1, 1, 1, 1),              // whole tiles, as few as it takes
        new(0, 12, 16, 16, 16, 3, 3, 1, 1),                    // empty batch
        new(2, 9, 13, 17, 66, 5, 5, 1, 2, 1, 1),               // Winograd with 5×5 taps: tiles cut at both ends, channels beyond a vector, two images and panels
        new(1, 11, 9, 16, 24, 5, 5, 1, 0, 1, 1, 0),            // without padding, as few tiles as it takes
        new(4, 8, 7, 33, 26, 5, 5, 1, 4, 1, 0),                // all the padding that it takes; tiles enough for its gradient by weights
        new(4, 9, 8, 24, 30, 5, 5, 1, 2, 1, 1, 1, 6),          // a part of a joined map
        new(2, 5, 6, 8, 12, 1, 1, 1, 0, 1, 1, 1, 20),          // a part of a joined map
        new(2, 5, 7, 4, 33, 3, 3, 1, 1, 1, 0, 1, 5),           // the same by strips, without a mask
        new(2, 7, 8, 8, 66, 3, 3, 2, 1, 2, 1, 0, 7),           // the same with a stride and groups
        new(6, 9, 14, 24, 26, 3, 3, 1, 1, 1, 1, 1, 6),         // the same by Winograd
        new(0, 5, 5, 3, 4, 3, 3, 1, 1, Beside: 4),             // empty batch
        new(1, 46, 45, 2, 3, 1, 1, 1, 0, 1, 1),                // tensor cores: two slices of pixels in the weights' gradient
        new(2, 9, 11, 17, 69, 3, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1), // maps in bf16, rows filled up with zeros, two tiles of columns
        new(1, 13, 12, 3, 24, 3, 3, 2, 1, Relu: 1, YBf16: 1),  // fp32 in, bf16 out, and the other way round
        new(1, 11, 13, 40, 10, 3, 3, 1, 1, HasBias: 0, XBf16: 1),
        new(2, 5, 7, 16, 24, 3, 3, 1, 1, Relu: 1, Beside: 16, XBf16: 1, YBf16: 1), // a part of a joined map in bf16
        new(2, 33, 9, 66, 8, 2, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1), // boxes of TMA: tiles below and beside one another, two images, two steps of channels
        new(0, 5, 5, 3, 4, 3, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1),
        new(1, 12, 11, 8, 136, 3, 3, 1, 1, 2, 1),              // large tiles in fp32: four rows beyond one, groups of 68 columns, 16 bytes a load, k that does not fill the last step
        new(1, 12, 11, 136, 8, 3, 3, 1, 1, 2, 1),              // the same backward for data
        new(2, 9, 8, 138, 10, 3, 3, 2, 1, 2, 1),               // and with a stride, number by number
        new(0, 5, 5, 64, 64, 1, 1),
    ];
}
