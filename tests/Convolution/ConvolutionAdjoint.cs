using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>
/// Layers of real sizes, where Reference would take minutes: the convolution is linear in x and in w, so ⟨conv(x, w), dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩.
/// A product that is lost, doubled or taken from a wrong place breaks it in one direction and not in the others.
/// </summary>
[TestFixture]
public sealed class ConvolutionAdjoint
{
    public static IEnumerable<ConvolutionShape> Layers =>
    [
        new(4, 96, 128, 3, 24, 5, 5, 2, 2, HasBias: 0),            // the city's first layer
        new(5, 24, 32, 24, 48, 3, 3, 1, 1, HasBias: 0),
        new(1, 60, 80, 64, 64, 3, 3, 1, 1, HasBias: 0),            // VGG
        new(1, 15, 20, 512, 200, 3, 3, 1, 1, HasBias: 0),          // more of k than one chunk, more channels than one block
        new(20, 6, 8, 256, 264, 3, 3, 1, 1, HasBias: 0),           // half of the tiles are half ones
        new(1, 30, 40, 128, 136, 3, 3, 1, 1, HasBias: 0),
        new(1, 29, 39, 384, 48, 1, 1, HasBias: 0),                 // SqueezeNet
        new(1, 119, 159, 16, 64, 1, 1, HasBias: 0),
        new(2, 27, 27, 96, 256, 5, 5, 1, 2, 2, HasBias: 0),        // AlexNet
    ];

    [TestCaseSource(nameof(Layers))]
    public void AllThreeDirections_AreOneBilinearForm(ConvolutionShape shape)
    {
        var device = Devices.Cpu;
        float[] x = Values(shape.XLength, 1), w = Values(shape.WLength, 2), dy = Values(shape.YLength, 3);
        using DeviceBuffer xs = device.Allocate(x), ws = device.Allocate(w), dys = device.Allocate(dy), empty = device.Allocate(0),
            y = device.Allocate(shape.YLength), dx = device.Allocate(shape.XLength), dw = device.Allocate(shape.WLength),
            workspace = device.Allocate(new[]
            {
                Convolution.ForwardOperation.Workspace(device, shape), Convolution.BackwardDataOperation.Workspace(device, shape),
                Convolution.BackwardWeightsOperation.Workspace(device, shape),
            }.Max());
        Convolution.Forward(device, shape, xs, ws, empty, y, workspace);
        Convolution.BackwardData(device, shape, ws, empty, dys, dx, workspace);
        Convolution.BackwardWeights(device, shape, xs, empty, dys, dw, empty, workspace);

        var (forward, size) = Dot(device.Download(y), dy);
        var (data, _) = Dot(device.Download(dx), x);
        var (weights, _) = Dot(device.Download(dw), w);
        // Each summand errs by the tolerance's share of its size, with random sign; sums over the whole map are that much more precise than one number.
        double tolerance = Math.Max(Convolution.BackwardWeightsOperation.Tolerance(shape), Convolution.ForwardOperation.Tolerance(shape)) * size;
        Assert.That(data, Is.EqualTo(forward).Within(tolerance), "⟨x, dx⟩");
        Assert.That(weights, Is.EqualTo(forward).Within(tolerance), "⟨w, dw⟩");
    }

    private static float[] Values(int length, int seed)
    {
        var random = new Random(seed);
        var values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = random.NextSingle() * 2 - 1;
        return values;
    }

    /// <summary>The sum of products, and the root of the sum of their squares.</summary>
    private static (double Sum, double Size) Dot(float[] a, float[] b)
    {
        double sum = 0, squares = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double product = (double)a[i] * b[i];
            sum += product;
            squares += product * product;
        }
        return (sum, Math.Sqrt(squares));
    }
}
