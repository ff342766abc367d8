using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>
/// The Host variants' ways back leave out images whose dy is zero, and no bit shows it. What they would have come to with them is computed from a dy of the smallest
/// numbers there are in their place: those images count as alive, and their products vanish beside sums of a usual size.
/// </summary>
[TestFixture]
public sealed class LiveImages
{
    private const int Images = 7;

    private static readonly int[][] Alive = [[0, 1, 2, 3, 4, 5, 6], [0], [6], [1, 2, 5], [0, 3, 4, 6], []];

    public static IEnumerable<TestCaseData> Cases()
        => from shape in (ConvolutionShape[])
           [
               new(Images, 11, 13, 5, 20, 3, 3, Padding: 1, Relu: 1),      // Winograd
               new(Images, 24, 32, 24, 48, 3, 3, Padding: 1, HasBias: 0),
               new(Images, 10, 14, 128, 136, 3, 3, Padding: 1, Relu: 1),   // a last row of half tiles
               new(Images, 12, 14, 24, 28, 5, 5, Padding: 2, Relu: 1, Beside: 4),
               new(Images, 9, 10, 5, 7, 3, 3, Stride: 2, Padding: 1, Relu: 1),
               new(Images, 7, 9, 6, 8, 1, 1, Relu: 1),
               new(Images, 40, 30, 3, 24, 5, 5, Stride: 2, Padding: 2, Relu: 1), // many strips an image, in slices that begin within one
               new(Images, 8, 8, 6, 8, 3, 3, Padding: 1, Groups: 2, Relu: 1),
           ]
           from operation in (Operation<ConvolutionShape>[])[Convolution.BackwardDataOperation, Convolution.BackwardWeightsOperation]
           from variant in operation.Variants
           // Among so many weights' first products some lie halfway between two numbers, where the smallest ones do show: those are below.
           where shape.Ic < 128 || operation == Convolution.BackwardDataOperation
           where variant.Kind == VariantKind.Host && operation.RefusalOf(variant, Devices.Cpu, shape) is null
           select new TestCaseData(operation, variant, shape).SetArgDisplayNames(operation.Name, variant.Name, shape.ToString());

    [TestCaseSource(nameof(Cases))]
    public void WithoutTheOthers_TheBitsAreTheSame(Operation<ConvolutionShape> operation, Variant<ConvolutionShape> variant, ConvolutionShape shape)
    {
        foreach (int[] alive in Alive)
        {
            var inputs = operation.InputsFor(shape, seed: 3);
            float[] skipped = Written(Inputs(0)), computed = Written(Inputs(float.Epsilon));
            Assert.That(skipped.Select(Bits), Is.EqualTo(computed.Select(Bits)).AsCollection, $"alive: {string.Join(", ", alive)}");

            if (alive.Length < Images && operation == Convolution.BackwardWeightsOperation)
                Assert.That(Written(Inputs(float.Epsilon, spoiled: true)), Has.Some.NaN, "the smallest number is no zero");

            // Zero of either sign, and what stands in those images' maps is not even read.
            Assert.That(Written(Inputs(-0f, spoiled: true)).Select(Bits), Is.EqualTo(skipped.Select(Bits)).AsCollection, $"alive: {string.Join(", ", alive)}, NaN in the others");

            float[][] Inputs(float others, bool spoiled = false)
            {
                var specs = operation.Buffers(shape);
                float[][] copies = [.. inputs.Select(i => (float[])i.Clone())];
                for (int i = 0; i < Images; i++)
                    if (!alive.Contains(i))
                    {
                        Image("dy", i).Fill(others);
                        if (spoiled && operation == Convolution.BackwardWeightsOperation)
                            Image("x", i).Fill(float.NaN);
                    }
                return copies;

                Span<float> Image(string name, int i)
                {
                    var whole = copies[Array.FindIndex(specs, s => s.Name == name)];
                    int each = (whole.Length + (name == "dy" ? shape.Beside : 0)) / Images;
                    return whole.AsSpan(i * each, Math.Min(each, whole.Length - i * each));
                }
            }
        }

        float[] Written(float[][] inputs)
        {
            var buffers = DeviceTests.VariantsAgree.Run(operation, variant, Devices.Cpu, shape, inputs);
            return [.. operation.Buffers(shape).SelectMany((b, i) => b.Access == Access.Write ? buffers[i] : [])];
        }

        // Sums of nothing but the smallest numbers are zero to everybody else; so is −0.
        static int Bits(float x) => Math.Abs(x) < 1e-40f ? 0 : BitConverter.SingleToInt32Bits(x);
    }
    /// <summary>By Winograd all images' whole tiles come before their half ones, and only those of live images: the sums are those of a batch of these alone.</summary>
    [TestCase(0, 1, 2, 3, 4, 5, 6)]
    [TestCase(1, 2, 3, 5)]
    [TestCase(0, 3, 4, 6)]
    public void WithHalfTiles_GradientsByWeights_AreThoseOfTheLiveAlone(params int[] alive)
    {
        var operation = Convolution.BackwardWeightsOperation;
        var variant = operation.Variants.Single(v => v.Name == "host-winograd");
        var shape = new ConvolutionShape(Images, 14, 16, 128, 136, 3, 3, Padding: 1, Relu: 1);
        float[][] inputs = operation.InputsFor(shape, seed: 4);
        float[][] few = [.. inputs.Zip(operation.Buffers(shape), (values, spec) => spec.Name is "x" or "y" or "dy" ? alive.SelectMany(i => Of(values, i).ToArray()).ToArray() : values)];
        for (int i = 0; i < Images; i++)
            if (!alive.Contains(i))
                Of(inputs[Array.FindIndex(operation.Buffers(shape), s => s.Name == "dy")], i).Clear();
        float[][] all = DeviceTests.VariantsAgree.Run(operation, variant, Devices.Cpu, shape, inputs), alone = DeviceTests.VariantsAgree.Run(operation, variant, Devices.Cpu, shape with { B = alive.Length }, few);
        Assert.That(all[3], Is.EqualTo(alone[3]).AsCollection, "dw");
        Assert.That(all[4], Is.EqualTo(alone[4]).AsCollection, "db");

        static Span<float> Of(float[] values, int image) => values.AsSpan(image * (values.Length / Images), values.Length / Images);
    }
}
