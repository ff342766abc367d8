using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.ConvolutionTests;

/// <summary>On small integers every sum is exact, so a map written in bf16 must be the nearest number, to even between two: nothing else may round.</summary>
[TestFixture, Parallelizable]
public sealed class Bf16Results
{
    private static readonly ConvolutionShape Bf16 = new(1, 6, 8, 9, 20, 3, 3, 1, 1, Relu: 1, XBf16: 1, YBf16: 1), Pixels = Bf16 with { Ic = 7, XBf16 = 0 };

    public static IEnumerable<TestCaseData> Written()
        => from operation in new Operation[] { Convolution.ForwardOperation, Convolution.ForwardPooledOperation, Convolution.BackwardDataOperation }
           from variant in operation.AllVariants
           where variant is { Precision: Precision.Bf16 }
           select new TestCaseData(operation, variant).SetArgDisplayNames(operation.Name, variant.Name);

    [TestCaseSource(nameof(Written))]
    public void AreTheNearestNumbers(Operation operation, Variant variant)
    {
        var shape = operation.RefusalOf(variant, Devices.Emitted, Bf16) is null ? Bf16 : Pixels;
        var exact = shape with { XBf16 = 0, YBf16 = 0 };
        var random = new Random(3);
        float[][] numbers = [.. operation.BuffersOf(exact).Select(b => Integers(random, b.Length))];
        float[][] rows = [.. operation.BuffersOf(shape).Select((b, i) => Rows(b, numbers[i]))];
        var expected = VariantsAgree.Run(operation, operation.AllVariants[^1], Devices.Cpu, exact, numbers);
        var actual = VariantsAgree.Run(operation, variant, Devices.Emitted, shape, rows);
        var specs = operation.BuffersOf(shape);
        for (int i = 0; i < specs.Length; i++)
        {
            if (specs[i].Access == Access.Read)
                continue;
            Assert.That(expected[i].Select(Math.Abs).Max(), Is.GreaterThan(512f), "something has to be rounded");
            Rounding.To(Precision.Bf16, expected[i]);
            Assert.That(VariantsAgree.Numbers(specs[i], actual[i]), Is.EqualTo(expected[i]).AsCollection, specs[i].Name);
        }
    }

    private static float[] Integers(Random random, long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (float)random.Next(-12, 13))];

    private static float[] Rows(BufferSpec spec, float[] numbers)
    {
        if (spec.Bf16Row == 0)
            return numbers;
        var rows = new float[spec.Length];
        Bf16Rows.Pack(numbers, spec.Bf16Row, rows);
        return rows;
    }
}
