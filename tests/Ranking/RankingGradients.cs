using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.RankingTests;

/// <summary>The Reference gradients by central differences in fp64, and what the losses do at their edges.</summary>
[TestFixture]
public sealed class RankingGradients
{
    private static readonly int[] Rows = [0, 1, 2, 5, 6, -1, 3, 2, 4, 0, 7, 6, 7, -1, 7, -1, 1, 0];

    [TestCase(false, 0.6f)]
    [TestCase(false, 4f)]
    [TestCase(true, 0.9f)]
    [TestCase(true, 1.8f)]
    public void Reference_Gradient_IsTheSlopeOfTheLoss(bool contrastive, float margin)
    {
        var shape = new RankingShape(3, 2, 3, 5, 8, margin);
        var random = new Random(3);
        var x = new double[shape.Images * shape.D];
        for (int i = 0; i < x.Length; i++)
            x[i] = random.NextDouble() - 0.5;
        var gradient = new double[x.Length];
        double Loss(double[] at, double[] slope, int[] violating)
        {
            var loss = new double[shape.Tuples];
            RankingLoss.Reference<double>(shape, contrastive, at, Rows, loss, violating, slope);
            return loss.Sum();
        }
        var count = new int[shape.Tuples];
        Loss(x, gradient, count);
        Assert.That(count.Sum(), Is.GreaterThan(0));
        const double step = 1e-6;
        for (int i = 0; i < x.Length; i++)
        {
            var up = (double[])x.Clone();
            var down = (double[])x.Clone();
            up[i] += step;
            down[i] -= step;
            double slope = (Loss(up, new double[x.Length], new int[3]) - Loss(down, new double[x.Length], new int[3])) / (2 * step);
            Assert.That(gradient[i], Is.EqualTo(slope).Within(1e-7), $"row {i / shape.D}, column {i % shape.D}");
        }
    }

    [Test]
    public void Weak_CountsWhatViolatesAndTakesTheFirstOfEqualPositives()
    {
        // One number a descriptor: q 0, two positives at 1 and −1 (equal), negatives at 1.2 (d² 1.44 < 1 + 0.5) and 3.
        float[] x = [0, 1, -1, 1.2f, 3];
        var (loss, violating, gradient) = Run(RankingLoss.WeakOperation, new(1, 2, 2, 1, 5, 0.5f), x, [0, 1, 2, 3, 4]);
        Assert.That(violating, Is.EqualTo(new[] { 1 }));
        Assert.That(loss[0], Is.EqualTo(0.06f).Within(1e-6));
        Assert.That(gradient, Is.EqualTo(new[] { 0.4f, 2f, 0, -2.4f, 0 }).Within(1e-6));
    }

    [Test]
    public void Contrastive_HasNoGradientWhereTheNegativeIsTheQuery()
    {
        float[] x = [1, 2, 1, 2, 2, 2];
        var (loss, violating, gradient) = Run(RankingLoss.ContrastiveOperation, new(1, 1, 1, 2, 3, 0.8f), x, [0, 2, 1]);
        Assert.That(loss[0], Is.EqualTo(0.5f + 0.4f).Within(1e-6));
        Assert.That(violating, Is.EqualTo(new[] { 1 }));
        Assert.That(gradient, Is.EqualTo(new float[] { -1, 0, 0, 0, 1, 0 }).Within(1e-6));
    }

    [Test]
    public void Loss_OfADescriptorThatIsNotANumber_IsNotANumber([Values(0, 1, 2, 3)] int row, [Values] bool contrastive, [Values] bool simulated)
    {
        float[] x = [0, 0, 1, 0, 0, 1, 1, 1];
        x[2 * row] = float.NaN;
        var operation = contrastive ? RankingLoss.ContrastiveOperation : RankingLoss.WeakOperation;
        var (loss, _, gradient) = Run(operation, new(1, 2, 1, 2, 4, 2f), x, [0, 1, 2, 3], simulated);
        Assert.That(loss[0], Is.NaN);
        Assert.That(gradient[2 * row], Is.NaN);
    }

    [Test]
    public void ATupleWithoutQueryOrPositive_CountsNothing([Values] bool contrastive, [Values] bool simulated)
    {
        var operation = contrastive ? RankingLoss.ContrastiveOperation : RankingLoss.WeakOperation;
        var (loss, violating, gradient) = Run(operation, new(2, 1, 1, 1, 3, 2f), [0, 1, 1.5f], [-1, 1, 2, 0, -1, 2], simulated);
        Assert.That(loss, Is.EqualTo(new float[2]));
        Assert.That(violating, Is.EqualTo(new int[2]));
        Assert.That(gradient, Is.EqualTo(new float[3]));
    }

    [Test]
    public void Host_RefusesARowThatIsNotThere()
        => Assert.That(() => Run(RankingLoss.WeakOperation, new(1, 1, 1, 1, 3, 2f), [0, 1, 2], [0, 1, 3]), Throws.ArgumentException);

    [TestCase(-1, 1, 1, 4, 1, 0.1f)]
    [TestCase(1, 0, 1, 4, 1, 0.1f)]
    [TestCase(1, 1, -1, 4, 1, 0.1f)]
    [TestCase(1, 1, 1, 0, 1, 0.1f)]
    [TestCase(1, 1, 1, 4, -1, 0.1f)]
    [TestCase(1, 1, 1, 4, 1, float.NaN)]
    [TestCase(1, 1, 1, 4, 1, -0.1f)]
    public void Check_RefusesWhatHasNoMeaning(int tuples, int positives, int negatives, int d, int images, float margin)
        => Assert.That(RankingLoss.WeakOperation.Check(new(tuples, positives, negatives, d, images, margin)), Is.Not.Null);

    [Test]
    public void Triplet_IsOnePositiveAndOneNegative()
    {
        Assert.That(RankingLoss.TripletOperation.Check(new(1, 1, 2, 4, 3, 0.1f)), Is.Not.Null);
        Assert.That(RankingLoss.TripletOperation.Check(new(1, 2, 1, 4, 3, 0.1f)), Is.Not.Null);
    }

    private static (float[] Loss, int[] Violating, float[] Gradient) Run(Operation<RankingShape> operation, RankingShape shape, float[] x, int[] rows, bool simulated = false)
    {
        var device = simulated ? Devices.Simulation : Devices.Cpu;
        var results = DeviceTests.VariantsAgree.Run(operation, operation.Choose(device, shape), device, shape, [x, [.. rows.Select(BitConverter.Int32BitsToSingle)], [], [], []]);
        return (results[2], [.. results[3].Select(BitConverter.SingleToInt32Bits)], results[4]);
    }
}
