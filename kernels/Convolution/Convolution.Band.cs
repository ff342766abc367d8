using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Convolution
{
    private const string WinogradName = "host-winograd", DirectName = "host-6x4v";

    /// <summary>
    /// Some rows of a forward pass, with pooling or from pixels where asked for, on the processor: a map that only the next layer reads need not stand whole in memory. The numbers are those of
    /// <see cref="ForwardOperation"/>, <see cref="ForwardPooledOperation"/> and <see cref="ForwardPixelsOperation"/> by the variant of the same name, bit for bit, and what those prepare of the
    /// weights serves here.
    /// </summary>
    public static readonly Operation<ConvolutionBand> ForwardBandOperation = new()
    {
        Name = "convolution.forward-band",
        Contract = "y = rows of act(conv(x, w) + b), or of its 2×2 maxima   x [rows,W,Ic] or pixels, w [R,S,Ic/G,Oc], b [Oc], y [rows,Q,Oc]",
        Check = s => s.Wrong(),
        Buffers = s => [s.X, new("w", s.Convolution.WLength, Access.Read), new("b", s.Convolution.HasBias * s.Convolution.Oc, Access.Read), s.Y],
        Flops = s => s.Flops,
        // Pooled, as of forward-pooled.
        Tolerance = s => (1 + s.Pooled) * SumTolerance(s.Convolution.R * s.Convolution.S * s.Convolution.GroupIc),
        Variants =
        [
            new(WinogradName, VariantKind.Host, new Preparation<ConvolutionBand>(
                (device, s) => HostWinograd<WinogradFilter3>.Prepared(device, s.Convolution),
                (Device device, in ConvolutionBand s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => HostWinograd<WinogradFilter3>.Prepare(device, s.Convolution, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
                (Device device, in ConvolutionBand s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
                    => RunAlone(WinogradName, device, new(s, 0, v[0], v[2], v[3], prepared, workspace))) { Replaced = 1 },
                (device, s) => HostWinograd<WinogradFilter3>.ForwardWorkspace(device, s.Convolution), HostWinograd<WinogradFilter3>.Refuses),
            new(DirectName, VariantKind.Host, new Preparation<ConvolutionBand>(
                (device, s) => HostConvolution.Prepared(device, s.Convolution),
                (Device device, in ConvolutionBand s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
                    => HostConvolution.Prepare(device, s.Convolution, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
                (Device device, in ConvolutionBand s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace)
                    => RunAlone(DirectName, device, new(s, 0, v[0], v[2], v[3], prepared, workspace))) { Replaced = 1 },
                HostConvolution.ForwardWorkspace, s => s.Pooled != 0 ? "writes the map before pooling" : null),
            new("reference", VariantKind.Reference, ForwardBandReference),
        ],
        Examples =
        [
            new(new(1, 26, 19, 16, 20, 3, 3, 1, 1, Relu: 1), 0, 8, 26, 26),                        // the first rows of whole maps
            new(new(1, 26, 19, 17, 70, 3, 3, 1, 1, Relu: 1), 12, 8, 12, 8),                        // rings as small as may be, both of which end within
            new(new(1, 27, 18, 16, 16, 3, 3, 1, 1, HasBias: 0), 24, 3, 8, 12),                     // the last rows, of a tile cut at the end
            new(new(1, 25, 21, 20, 18, 3, 3, 1, 0), 16, 7, 13, 8),                                 // without padding
            new(new(1, 27, 23, 16, 66, 3, 3, 1, 1, Relu: 1), 8, 12, 17, 10, Pooled: 1),
            new(new(1, 27, 22, 16, 24, 3, 3, 1, 1, Relu: 1), 20, 7, 27, 13, Pooled: 1),            // an odd row at the end is dropped
            new(new(1, 20, 150, 5, 9, 3, 3, 1, 1, Relu: 1), 7, 6, 9, 8),                           // by strips: a ring that ends between two rows
            new(new(1, 21, 9, 4, 8, 5, 5, 2, 2, 2, 1), 3, 5, 14, 7),                               // a stride, and groups
            new(new(1, 12, 11, 3, 16, 3, 3, 1, 1, Relu: 1), 5, 6, 12, 9, FromPixels: 1, Numbers: Pixels.ExampleNumbers),
            new(new(1, 6, 7, 3, 4, 3, 3, 1, 1), 1, 4, 6, 6, Pooled: 0),                            // rows of a map that is there whole
            new(new(1, 3, 4, 2, 3, 1, 1, 1, 2), 6, 1, 1, 1),                                       // a row that reads nothing
        ],
        Fill = (s, name, random, values) => s.FromPixels != 0 && name == "x" && Pixels.FillExample("pixels", random, values),
    };

    /// <summary>
    /// Bands one after the other on the processor. Each begins as soon as those are over that it comes after: threads that find no work left in one go on with the next.
    /// </summary>
    public static void ForwardBands(Device device, ReadOnlySpan<ConvolutionBandStep> steps)
    {
        if (device.Observer is not null)
        {
            // Whoever looks at each band's time sees them one by one.
            foreach (var step in steps)
                ForwardBandOperation.RunPrepared(device, step.Band, [step.X, default, step.B, step.Y], step.Prepared, step.Workspace);
            return;
        }
        var sequence = new HostSequence();
        var tasks = new int[steps.Length + 1];
        for (int i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            var variant = ForwardBandOperation.RequirePrepared(device, step.Band, [step.X, default, step.B, step.Y], step.Prepared, step.Workspace);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(step.After, i);
            Add(variant.Name, device, sequence, tasks[step.After], step);
            tasks[i + 1] = sequence.Count;
        }
        sequence.Run(device);
    }

    private static void RunAlone(string variant, Device device, in ConvolutionBandStep step)
    {
        var sequence = new HostSequence();
        Add(variant, device, sequence, 0, step);
        sequence.Run(device);
    }

    private static void Add(string variant, Device device, HostSequence sequence, int after, in ConvolutionBandStep step)
    {
        float* x = HostMemory.Pointer(step.X), b = step.Band.Convolution.HasBias != 0 ? HostMemory.Pointer(step.B) : null, y = HostMemory.Pointer(step.Y);
        if (variant == WinogradName)
            HostWinograd<WinogradFilter3>.Forward(device, sequence, after, step.Band, x, b, y, HostMemory.Pointer(step.Prepared), HostMemory.Pointer(step.Workspace));
        else
            HostConvolution.Forward(sequence, after, step.Band, x, b, y, HostMemory.Pointer(step.Prepared), HostMemory.Pointer(step.Workspace));
    }

    /// <summary>Rows of the result, before pooling, of which a band is a multiple where it does not end with the map, so that the variant that computes the whole computes it too; of rings the same.</summary>
    public static int BandUnit(Device device, in ConvolutionBand whole) => ForwardBandOperation.Choose(device, whole).Name == WinogradName ? WinogradFilter3.Tile : 1;

    private static void ForwardBandReference(Device device, in ConvolutionBand s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var c = s.Convolution;
        var x = new float[c.XLength];
        if (s.FromPixels != 0)
            Pixels.Reference(new(1, c.H, c.W, s.Numbers), HostMemory.Span(v[0]), x);
        else
            for (int row = s.XFirst, length = c.W * c.Ic; row < s.XEnd; row++)
                HostMemory.Span(v[0]).Slice(row % s.XRing * length, length).CopyTo(x.AsSpan(row * length));
        var map = new float[c.YLength];
        Forward<float>(c, x, HostMemory.Span(v[1]), HostMemory.Span(v[2]), map);
        if (s.Pooled != 0)
        {
            var pooling = new PoolingShape(1, c.P, c.Q, c.Oc, 2, 2);
            var maxima = new float[pooling.YLength];
            MaxPooling.Forward<float>(pooling, map, maxima);
            map = maxima;
        }
        for (int row = s.YFirst, length = s.MapColumns * c.Oc; row < s.YEnd; row++)
            map.AsSpan(row * length, length).CopyTo(HostMemory.Span(v[3])[(row % s.YRing * length)..]);
    }
}
