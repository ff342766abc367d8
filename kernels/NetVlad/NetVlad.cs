using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The NetVLAD layer (arXiv 1511.07247, equations 3 and 4), with the normalisation of its inputs:
/// <code>
/// x̂_i = x_i / ‖x_i‖                                   x [B,N,D]
/// a_ik = softmax_k (w_k·x̂_i + b_k)                     w [K,D], b [K] or none (version 1)
/// V_k = Σ_i a_ik (x̂_i − c_k) = (AᵀX̂)_k − (Σ_i a_ik) c_k     c [K,D]
/// V̂_k = V_k / ‖V_k‖,  y = vec V̂ / ‖vec V̂‖              y [B,K·D], cluster by cluster
/// </code>
/// Backward, given dy (what the forward pass computed inside is computed again: keeping x is enough):
/// <code>
/// du = (dy − y (y·dy)) / ‖vec V̂‖        dV_k = (du_k − V̂_k (V̂_k·du_k)) / ‖V_k‖
/// da_ik = x̂_i·dV_k − c_k·dV_k           ds_ik = a_ik (da_ik − Σ_j a_ij da_ij)
/// dc_k = −(Σ_i a_ik) dV_k,  dw_k = Σ_i ds_ik x̂_i,  db_k = Σ_i ds_ik
/// dx̂_i = Σ_k a_ik dV_k + Σ_k ds_ik w_k  dx_i = (dx̂_i − x̂_i (x̂_i·dx̂_i)) / ‖x_i‖
/// </code>
/// A gradient is zero where a norm was clamped. 4·N·K·D FLOPs an image forward, 12·N·K·D backward; all of it products of N×K, K×D and N×D
/// matrices, nothing of size N×K×D exists. Gradients of parameters add the images in order.
/// </summary>
public static partial class NetVlad
{
    /// <summary>y from x.</summary>
    public static readonly Operation<NetVladShape> ForwardOperation = new()
    {
        Name = "netvlad.forward",
        Contract = "y = normalised Σ a (x̂ − c)   x [B,N,D], w, c [K,D], b [K], y [B,K·D]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            X("x", s, Access.Read), new("w", s.K * s.D, Access.Read), new("b", s.HasBias * s.K, Access.Read), new("c", s.K * s.D, Access.Read),
            new("y", s.YLength, Access.Write),
        ],
        HasBf16Maps = s => s.XBf16 != 0,
        Flops = s => 4.0 * s.B * s.N * s.K * s.D,
        // Logits of size ‖w‖ are off by √D·u·‖w‖, which the softmax turns into a relative error; V_k is a difference of sums: the
        // golden bound of 1e-5 less a margin for what the goldens' own rounding to fp32 takes.
        Tolerance = _ => 5e-6,
        Variants =
        [
            new("host-6x4v", VariantKind.Host, ForwardHost, HostNetVlad.ForwardWorkspace),
            new(TensorTile<NarrowTile, Tf32Numbers>.Name, VariantKind.TensorCore, Cuda<TensorNetVladProducts>.Forward, Cuda<TensorNetVladProducts>.ForwardWorkspace, TensorNetVladProducts.Refuses,
                Cuda<TensorNetVladProducts>.ForwardKernels)
            {
                Precision = Precision.Tf32,
                TakesBf16Maps = true,
            },
            new("simt", VariantKind.Simt, Cuda<SimtNetVladProducts>.Forward, Cuda<SimtNetVladProducts>.ForwardWorkspace, kernels: Cuda<SimtNetVladProducts>.ForwardKernels),
            new("reference", VariantKind.Reference, ForwardReference),
        ],
        Examples = ExampleShapes,
        Fill = FillParameters,
    };

    /// <summary>dx, dw, db, dc from dy.</summary>
    public static readonly Operation<NetVladShape> BackwardOperation = new()
    {
        Name = "netvlad.backward",
        Contract = "dx, dw, db, dc from x, w, b, c, dy   dy [B,K·D], dx [B,N,D], dw, dc [K,D], db [K]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            X("x", s, Access.Read), new("w", s.K * s.D, Access.Read), new("b", s.HasBias * s.K, Access.Read), new("c", s.K * s.D, Access.Read),
            new("dy", s.YLength, Access.Read), s.SkipData != 0 ? new("dx", 0, Access.Write) : X("dx", s, Access.Write), new("dw", s.K * s.D, Access.Write), new("db", s.HasBias * s.K, Access.Write),
            new("dc", s.K * s.D, Access.Write),
        ],
        HasBf16Maps = s => s.XBf16 != 0,
        Flops = s => 12.0 * s.B * s.N * s.K * s.D,
        // Half of the golden bound: three normalisations, each a difference of nearly parallel vectors.
        Tolerance = s => 5e-5 + (s.SkipData != 0 ? 0 : s.XBf16 * Bf16Rows.Rounding),
        Variants =
        [
            new("host-6x4v", VariantKind.Host, BackwardHost, HostNetVlad.BackwardWorkspace),
            new(TensorTile<NarrowTile, Tf32Numbers>.Name, VariantKind.TensorCore, Cuda<TensorNetVladProducts>.Backward, Cuda<TensorNetVladProducts>.BackwardWorkspace, TensorNetVladProducts.Refuses,
                Cuda<TensorNetVladProducts>.BackwardKernels)
            {
                Precision = Precision.Tf32,
                TakesBf16Maps = true,
            },
            new("simt", VariantKind.Simt, Cuda<SimtNetVladProducts>.Backward, Cuda<SimtNetVladProducts>.BackwardWorkspace, kernels: Cuda<SimtNetVladProducts>.BackwardKernels),
            new("reference", VariantKind.Reference, BackwardReference),
        ],
        Examples = ExampleShapes,
        Fill = FillParameters,
    };

    /// <param name="b">May be empty where <see cref="NetVladShape.HasBias"/> is 0.</param>
    /// <inheritdoc cref="ForwardOperation"/>
    public static void Forward(Device device, in NetVladShape shape, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> c, ArrayView<float> y, ArrayView<float> workspace)
        => ForwardOperation.Run(device, shape, [x, w, b, c, y], workspace);

    /// <param name="db">May be empty where <see cref="NetVladShape.HasBias"/> is 0.</param>
    /// <inheritdoc cref="BackwardOperation"/>
    public static void Backward(Device device, in NetVladShape shape, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> c, ArrayView<float> dy,
        ArrayView<float> dx, ArrayView<float> dw, ArrayView<float> db, ArrayView<float> dc, ArrayView<float> workspace)
        => BackwardOperation.Run(device, shape, [x, w, b, c, dy, dx, dw, db, dc], workspace);

    /// <summary>Whether a shape runs on a device with its map as it is kept in memory.</summary>
    /// <param name="learns">Also on the way back.</param>
    public static bool TakesMap(Device device, in NetVladShape shape, bool learns) => ForwardOperation.Takes(device, shape) && (!learns || BackwardOperation.Takes(device, shape));

    private static BufferSpec X(string name, in NetVladShape s, Access access) => BufferSpec.Map(name, (long)s.B * s.N, s.D, s.XBf16, access);

    private static NetVladShape[] ExampleShapes =>
    [
        new(0, 3, 4, 2), new(1, 1, 1, 1, 1), new(1, 2, 5, 3), new(2, 11, 16, 8, 1), new(1, 9, 64, 64, 1), new(2, 16, 32, 16), new(2, 30, 24, 12, 0, 1),
        new(3, 7, 17, 5, 1, 1), new(1, 97, 37, 26), new(1, 7, 19, 70, 1), new(2, 9, 20, 6, 1, 0, 1), new(1, 7, 300, 18), new(5, 2, 70, 9, 1),
        new(2, 19, 19, 6, 1, XBf16: 1), new(1, 18, 136, 5, XBf16: 1, SkipData: 1), new(0, 3, 4, 2, XBf16: 1),
    ];

    /// <summary>Logits of a useful size: w about 5 long.</summary>
    private static bool FillParameters(NetVladShape s, string name, Random random, float[] values)
    {
        if (name != "w")
            return false;
        float scale = 5 * MathF.Sqrt(3f / s.D);
        for (int i = 0; i < values.Length; i++)
            values[i] = (random.NextSingle() * 2 - 1) * scale;
        return true;
    }
}
