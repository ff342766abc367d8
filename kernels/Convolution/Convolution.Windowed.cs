using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Convolution
{
    /// <summary>
    /// A forward pass and the maxima of its result in windows that may overlap, in one, for inference on the processor: the map between is never written. The numbers are those of
    /// both operations one after the other, bit for bit.
    /// </summary>
    public static readonly Operation<WindowedConvolutionShape> ForwardWindowedOperation = new()
    {
        Name = "convolution.forward-windowed",
        Contract = "y = max over windows of act(conv(x, w) + b)   x [B,H,W,Ic], w [R,S,Ic,Oc], b [Oc], y [B,pooled P,pooled Q,Oc]",
        Check = s => s.Wrong(),
        Buffers = s =>
        [
            new("x", s.Convolution.XLength, Access.Read), new("w", s.Convolution.WLength, Access.Read), new("b", s.Convolution.HasBias * s.Convolution.Oc, Access.Read),
            new("y", s.Pooling.YLength, Access.Write),
        ],
        Flops = s => s.Convolution.Flops,
        // As of forward-pooled.
        Tolerance = s => 2 * SumTolerance(s.Convolution.R * s.Convolution.S * s.Convolution.GroupIc),
        Variants =
        [
            new("host-6x4v", VariantKind.Host, new Preparation<WindowedConvolutionShape>(
                (device, s) => HostConvolution.Prepared(device, s.Convolution),
                (Device device, in WindowedConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => HostConvolution.Prepare(device, s.Convolution, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
                (Device device, in WindowedConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace) =>
                    HostWindowedConvolution.Forward(device, s, HostConvolution.ForwardStrip(s.Convolution, HostMemory.Pointer(v[0])), Bias(s.Convolution, v), HostMemory.Pointer(v[3]), HostMemory.Pointer(prepared), HostMemory.Pointer(workspace))) { Replaced = 1 },
                HostWindowedConvolution.Workspace, HostWindowedConvolution.Refuses),
            new("reference", VariantKind.Reference, ForwardWindowedReference),
        ],
        Examples =
        [
            new(new(2, 21, 19, 3, 20, 3, 3, 2, 0, 1, 1), 3, 2),             // SqueezeNet's first layer
            new(new(1, 40, 47, 3, 70, 11, 11, 4, 2, 1, 1, 0), 3, 2),        // AlexNet's, two panels, without bias
            new(new(2, 9, 8, 5, 33, 3, 3, 1, 1), 3, 2, 1),                  // windows cut at the border, no ReLU
            new(new(1, 12, 11, 4, 16, 5, 5, 2, 2, 1, 1), 2, 1),
            new(new(1, 3, 3, 2, 3, 1, 1, 1, 0, 1, 1), 3, 3),                // one window
            new(new(3, 70, 9, 2, 7, 1, 1, 1, 0, 1, 1), 3, 1),               // more than one band of rows
            new(new(0, 16, 16, 3, 16, 3, 3, 1, 1), 3, 2),
        ],
    };

    /// <summary>Whether a device has a kernel of its own for the two in one, by the same sums.</summary>
    public static bool FusesWindows(Device device, in WindowedConvolutionShape shape)
    {
        if (ForwardWindowedOperation.Check(shape) is not null)
            return false;
        var fused = ForwardWindowedOperation.Variants[0];
        return device.Preferred is null && fused.Refuses(device, shape) is null && ForwardOperation.Choose(device, shape.Convolution).Name == fused.Name;
    }

    private static void ForwardWindowedReference(Device device, in WindowedConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var map = new float[s.Convolution.YLength];
        Forward<float>(s.Convolution, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), map);
        MaxPooling.Forward<float>(s.Pooling, map, HostMemory.Span(v[3]));
    }
}
