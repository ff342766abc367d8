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
               new(Images, 12, 14, 24, 28, 5, 5, Padding: 2, Relu: 1, Beside: 4),
               new(Images, 9, 10, 5, 7, 3, 3, Stride: 2, Padding: 1, Relu: 1),
               new(Images, 7, 9, 6, 8, 1, 1, Relu: 1),
               new(Images, 40, 30, 3, 24, 5, 5, Stride: 2, Padding: 2, Relu: 1), // many strips an image, in slices that begin within one
               new(Images, 8, 8, 6, 8, 3, 3, Padding: 1, Groups: 2, Relu: 1),
           ]
           from operation in (Operation<ConvolutionShape>[])[Convolution.BackwardDataOperation, Convolution.BackwardWeightsOperation]
           from variant in operation.Variants
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
}
