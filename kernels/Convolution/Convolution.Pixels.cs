using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Convolution
{
    /// <summary>
    /// A first layer's forward pass from 8-bit pixels, which become numbers (<see cref="PixelNumbers"/>) where they are read, on the processor while a strip is copied next to its core, on tensor cores
    /// while a step goes to shared memory: the images in fp32 are never written. The bits are those of <see cref="Pixels"/> and <see cref="ForwardOperation"/> one after the other.
    /// </summary>
    public static readonly Operation<PixelConvolutionShape> ForwardPixelsOperation = new()
    {
        Name = "convolution.forward-pixels",
        Contract = "y = act(conv((pixels − mean)·scale, w) + b)   pixels [B,H,W,3] of 8 bits, w [R,S,3,Oc], b [Oc], y [B,P,Q,Oc]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            s.Pixels, new("w", s.Convolution.WLength, Access.Read), new("b", s.Convolution.HasBias * s.Convolution.Oc, Access.Read),
            Y("y", s.Convolution, s.Convolution.Beside == 0 ? Access.Write : Access.ReadWrite),
        ],
        HasBf16Maps = s => s.Convolution.YBf16 != 0,
        Flops = s => s.Convolution.Flops,
        Tolerance = s => ForwardOperation.Tolerance(s.Convolution),
        Variants =
        [
            new("host-6x4v", VariantKind.Host, new Preparation<PixelConvolutionShape>(
                (device, s) => HostConvolution.Prepared(device, s.Convolution),
                (Device device, in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => HostConvolution.Prepare(device, s.Convolution, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
                (Device device, in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace) =>
                {
                    if (s.Convolution.B > 0)
                        HostConvolution.Forward(
                            device, s.Convolution, HostConvolution.ForwardStrip(s, (byte*)HostMemory.Pointer(v[0])), Bias(s.Convolution, v), HostMemory.Pointer(v[3]), HostMemory.Pointer(prepared), HostMemory.Pointer(workspace));
                }) { Replaced = 1 },
                (device, s) => HostConvolution.ForwardWorkspace(device, s.Convolution, HostConvolution.ForwardStrip(s, SomePixels)), s => RefusesJoined(s)),
            TensorCoreFewChannels<Bf16Numbers>.ForwardPixels,
            TensorCoreFewChannels<Tf32Numbers>.ForwardPixels,
            new("reference", VariantKind.Reference, ForwardPixelsReference),
        ],
        Examples = PixelExamples,
        Fill = (_, name, random, values) => Pixels.FillExample(name, random, values),
    };

    /// <summary>dw and db of a first layer from pixels and dy, as <see cref="BackwardWeightsOperation"/> has them from numbers, bit for bit.</summary>
    public static readonly Operation<PixelConvolutionShape> BackwardWeightsPixelsOperation = new()
    {
        Name = "convolution.backward-weights-pixels",
        Contract = "dw = Σ (pixels − mean)·scale·dy·[y>0], db = Σ dy·[y>0]   pixels [B,H,W,3] of 8 bits, y, dy [B,P,Q,Oc], dw [R,S,3,Oc], db [Oc]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            s.Pixels, Mask(s.Convolution), Y("dy", s.Convolution, Access.Read), new("dw", s.Convolution.WLength, Access.Write),
            new("db", s.Convolution.HasBias * s.Convolution.Oc, Access.Write),
        ],
        HasBf16Maps = s => s.Convolution.YBf16 != 0,
        Flops = s => s.Convolution.Flops,
        Tolerance = s => BackwardWeightsOperation.Tolerance(s.Convolution),
        Variants =
        [
            new("host-6x4v", VariantKind.Host, BackwardWeightsPixelsHost, (device, s) => HostWeightGradient.Workspace(device, s.Convolution, HostConvolution.ForwardStrip(s, SomePixels)), s => RefusesJoined(s)),
            TensorCore<WgmmaConvolution, Bf16Numbers>.BackwardWeightsPixels,
            TensorCore<MmaConvolution<NarrowTile, Bf16Numbers>, Bf16Numbers>.BackwardWeightsPixels,
            TensorCore<MmaConvolution<LargeTile, Bf16Numbers>, Bf16Numbers>.BackwardWeightsPixels,
            TensorCore<MmaConvolution<WideTile, Bf16Numbers>, Bf16Numbers>.BackwardWeightsPixels,
            TensorCore<MmaConvolution<NarrowTile, Tf32Numbers>, Tf32Numbers>.BackwardWeightsPixels,
            TensorCore<MmaConvolution<WideTile, Tf32Numbers>, Tf32Numbers>.BackwardWeightsPixels,
            new("reference", VariantKind.Reference, BackwardWeightsPixelsReference),
        ],
        Examples = PixelExamples,
        Fill = (_, name, random, values) => Pixels.FillExample(name, random, values),
    };

    /// <summary>As <see cref="ForwardWindowedOperation"/>, from pixels.</summary>
    public static readonly Operation<PixelWindowedShape> ForwardWindowedPixelsOperation = new()
    {
        Name = "convolution.forward-windowed-pixels",
        Contract = "y = max over windows of act(conv((pixels − mean)·scale, w) + b)   pixels [B,H,W,3] of 8 bits, w [R,S,3,Oc], b [Oc], y [B,pooled P,pooled Q,Oc]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            s.Convolution.Pixels, new("w", s.Windowed.Convolution.WLength, Access.Read), new("b", s.Windowed.Convolution.HasBias * s.Windowed.Convolution.Oc, Access.Read),
            BufferSpec.Map("y", (long)s.Windowed.Pooling.B * s.Windowed.Pooling.P * s.Windowed.Pooling.Q, s.Windowed.Pooling.C, s.Windowed.Convolution.YBf16, Access.Write),
        ],
        HasBf16Maps = s => s.Windowed.Convolution.YBf16 != 0,
        Flops = s => s.Windowed.Convolution.Flops,
        Tolerance = s => 2 * SumTolerance(s.Windowed.Convolution.R * s.Windowed.Convolution.S * PixelNumbers.Channels) + s.Windowed.Convolution.YBf16 * Bf16Rows.Rounding,
        Variants =
        [
            new("host-6x4v", VariantKind.Host, new Preparation<PixelWindowedShape>(
                (device, s) => HostConvolution.Prepared(device, s.Windowed.Convolution),
                (Device device, in PixelWindowedShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => HostConvolution.Prepare(device, s.Windowed.Convolution, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
                (Device device, in PixelWindowedShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
                    => HostWindowedConvolution.Forward(
                        device, s.Windowed, HostConvolution.ForwardStrip(s.Convolution, (byte*)HostMemory.Pointer(v[0])), Bias(s.Windowed.Convolution, v), HostMemory.Pointer(v[3]), HostMemory.Pointer(prepared),
                        HostMemory.Pointer(workspace))) { Replaced = 1 },
                (device, s) => HostWindowedConvolution.Workspace(device, s.Windowed, HostConvolution.ForwardStrip(s.Convolution, SomePixels)), s => HostWindowedConvolution.Refuses(s.Windowed)),
            TensorCoreFewChannels<Bf16Numbers>.ForwardWindowedPixels,
            TensorCoreFewChannels<Tf32Numbers>.ForwardWindowedPixels,
            new("reference", VariantKind.Reference, ForwardWindowedPixelsReference),
        ],
        Examples =
        [
            new(new(new(1, 7, 10, 3, 16, 3, 3, 1, 1, 1, 1), 2, 2), Pixels.ExampleNumbers),          // a last row in no window
            new(new(new(2, 21, 19, 3, 20, 3, 3, 2, 0, 1, 1), 3, 2), Pixels.ExampleNumbers),         // SqueezeNet's first layer
            new(new(new(1, 40, 47, 3, 70, 11, 11, 4, 2, 1, 1, 0), 3, 2), Pixels.ExampleNumbers),    // AlexNet's, two panels, without bias
            new(new(new(2, 22, 27, 3, 24, 5, 5, 2, 2, 1, 1), 2, 2), Pixels.ExampleNumbers),         // the city's
            new(new(new(1, 11, 9, 3, 20, 3, 3, 1, 1, 1, 1, YBf16: 1), 2, 2), Pixels.ExampleNumbers),
            new(new(new(0, 16, 16, 3, 16, 3, 3, 1, 1), 3, 2), Pixels.ExampleNumbers),
        ],
        Fill = (_, name, random, values) => Pixels.FillExample(name, random, values),
    };

    /// <summary>Whether a device has kernels of its own for pixels and a first layer in one, by the same sums as for numbers.</summary>
    /// <param name="learns">Also on the way back.</param>
    public static bool FusesPixels(Device device, in PixelConvolutionShape shape, bool learns)
        => Fuses(device, ForwardPixelsOperation, shape, ForwardOperation.Choose(device, shape.Convolution))
            && (!learns || Fuses(device, BackwardWeightsPixelsOperation, shape, BackwardWeightsOperation.Choose(device, shape.Convolution)));

    /// <summary>The same with the pooling behind it, without a way back.</summary>
    public static bool FusesPixels(Device device, in PixelWindowedShape shape) => Fuses(device, ForwardWindowedPixelsOperation, shape, ForwardOperation.Choose(device, shape.Windowed.Convolution));

    private static bool Fuses<TProblem>(Device device, Operation<TProblem> fused, in TProblem problem, Variant separate)
        where TProblem : struct
        => device.Preferred is null && fused.Check(problem) is null && fused.Takes(device, problem) && fused.Choose(device, problem).Name == separate.Name;

    /// <summary>Whether a map in bf16 can come out of a first layer that reads pixels.</summary>
    /// <inheritdoc cref="FusesPixels(Device, in PixelConvolutionShape, bool)"/>
    public static bool MakesBf16OfPixels(Device device, in PixelConvolutionShape shape, bool learns)
        => ForwardPixelsOperation.Takes(device, shape) && (!learns || BackwardWeightsPixelsOperation.Takes(device, shape));

    /// <summary>Pixels make a strip a copy; any address serves to say so.</summary>
    private static byte* SomePixels => (byte*)1;

    private static string? RefusesJoined(in PixelConvolutionShape s) => s.Convolution.Beside != 0 ? "makes a whole map" : null;

    private static PixelConvolutionShape[] PixelExamples =>
    [
        new(new(1, 7, 10, 3, 16, 3, 3, 1, 1, 1, 1), Pixels.ExampleNumbers),                // VGG-16's first layer
        new(new(2, 9, 11, 3, 16, 3, 3, 1, 1, 1, 1), Pixels.ExampleNumbers),                // images that end within a float
        new(new(1, 23, 27, 3, 70, 11, 11, 4, 2, 1, 1, 0), Pixels.ExampleNumbers),
        new(new(3, 21, 19, 3, 20, 3, 3, 2, 0, 1, 1), Pixels.ExampleNumbers),               // numbers would be read where they lie
        new(new(1, 9, 340, 3, 24, 5, 5, 2, 2, 1, 0), Pixels.ExampleNumbers),               // more columns than a strip holds
        new(new(1, 7, 10, 3, 20, 3, 3, 1, 1, 1, 1, YBf16: 1), Pixels.ExampleNumbers),
        new(new(0, 16, 16, 3, 16, 3, 3, 1, 1), Pixels.ExampleNumbers),
    ];

    private static void BackwardWeightsPixelsHost(Device device, in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostWeightGradient.Run(device, s.Convolution, HostConvolution.ForwardStrip(s, (byte*)HostMemory.Pointer(v[0])), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));

    private static float[] NumbersOf(in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v)
    {
        var x = new float[s.Convolution.XLength];
        Pixels.Reference(new(s.Convolution.B, s.Convolution.H, s.Convolution.W, s.Numbers), HostMemory.Span(v[0]), x);
        return x;
    }

    private static void ForwardPixelsReference(Device device, in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s.Convolution, NumbersOf(s, v), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]));

    private static void ForwardWindowedPixelsReference(Device device, in PixelWindowedShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var map = new float[s.Windowed.Convolution.YLength];
        Forward<float>(s.Windowed.Convolution, NumbersOf(s.Convolution, v), HostMemory.Span(v[1]), HostMemory.Span(v[2]), map);
        MaxPooling.Forward<float>(s.Windowed.Pooling, map, HostMemory.Span(v[3]));
    }

    private static void BackwardWeightsPixelsReference(Device device, in PixelConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => BackwardWeights<float>(s.Convolution, NumbersOf(s, v), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]), HostMemory.Span(v[4]));
}
