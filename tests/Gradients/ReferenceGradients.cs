using IlgpuNetVlad.Kernels;
using static IlgpuNetVlad.Tests.Gradients.FiniteDifferences;

namespace IlgpuNetVlad.Tests.Gradients;

/// <summary>Every backward pass of the Reference variants is the derivative of its forward pass, in fp64.</summary>
[TestFixture]
public sealed class ReferenceGradients
{
    [TestCase(2, 5, 6, 3, 4, 3, 3, 1, 1, 1, 0)]
    [TestCase(1, 7, 6, 4, 6, 3, 2, 2, 1, 2, 0)]
    [TestCase(1, 4, 4, 2, 3, 3, 3, 1, 1, 1, 1)]
    public void Convolution_Backward_IsTheDerivative(int b, int h, int w, int ic, int oc, int r, int s, int stride, int padding, int groups, int relu)
    {
        var shape = new ConvolutionShape(b, h, w, ic, oc, r, s, stride, padding, groups, relu);
        double[] x = Random(shape.XLength, 1), weights = Random(shape.WLength, 2), bias = Random(oc, 3), dy = Random(shape.YLength, 4), y = new double[shape.YLength];
        double Value()
        {
            Convolution.Forward<double>(shape, x, weights, bias, y);
            return Dot(y, dy);
        }
        Value();
        // No pre-activation may lie so near to ReLU's kink that a step crosses it.
        Assume.That(relu == 0 || y.All(v => v == 0 || v > 1e-3));
        double[] dx = new double[x.Length], dw = new double[weights.Length], db = new double[oc];
        Convolution.BackwardData<double>(shape, weights, y, dy, dx);
        Convolution.BackwardWeights<double>(shape, x, y, dy, dw, db);
        Check("dx", x, dx, Value);
        Check("dw", weights, dw, Value);
        Check("db", bias, db, Value);
    }

    [TestCase(2, 2, 0)]
    [TestCase(3, 2, 0)]
    [TestCase(3, 2, 1)]
    public void MaxPooling_Backward_IsTheDerivative(int window, int stride, int ceil)
    {
        var shape = new PoolingShape(2, 6, 7, 3, window, stride, ceil);
        double[] x = Distinct(shape.XLength, 1), dy = Random(shape.YLength, 2), y = new double[shape.YLength], dx = new double[x.Length];
        double Value()
        {
            MaxPooling.Forward<double>(shape, x, y);
            return Dot(y, dy);
        }
        MaxPooling.Backward<double>(shape, x, dy, dx);
        Check("dx", x, dx, Value);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void GlobalPooling_Backward_IsTheDerivative(bool max)
    {
        var shape = new GlobalPoolingShape(2, 9, 4);
        double[] x = Distinct(shape.XLength, 1), dy = Random(shape.YLength, 2), y = new double[shape.YLength], dx = new double[x.Length];
        double Value()
        {
            GlobalPooling.Forward<double>(shape, max, x, y);
            return Dot(y, dy);
        }
        GlobalPooling.Backward<double>(shape, max, x, dy, dx);
        Check("dx", x, dx, Value);
    }

    [TestCase(0)]
    [TestCase(1)]
    public void L2Normalization_Backward_IsTheDerivative(int softFloor)
    {
        var shape = new RowsShape(3, 7, softFloor);
        double[] x = Random(shape.Length, 1), dy = Random(shape.Length, 2), y = new double[shape.Length], dx = new double[x.Length];
        double Value()
        {
            L2Normalization.Forward<double>(shape, x, y);
            return Dot(y, dy);
        }
        Value();
        L2Normalization.Backward<double>(shape, x, y, dy, dx);
        Check("dx", x, dx, Value);
    }

    [TestCase(5, 0.3f, 0.75f, 1f)]
    [TestCase(3, 0.5f, 0.5f, 2f)]
    public void LocalResponse_Backward_IsTheDerivative(int size, float alphaOverN, float beta, float k)
    {
        var shape = new LocalResponseShape(4, 7, size, alphaOverN, beta, k);
        double[] x = Random(shape.Length, 1), dy = Random(shape.Length, 2), y = new double[shape.Length], dx = new double[x.Length];
        double Value()
        {
            LocalResponse.Forward<double>(shape, x, y);
            return Dot(y, dy);
        }
        LocalResponse.Backward<double>(shape, x, dy, dx);
        Check("dx", x, dx, Value);
    }

    [TestCase(0, 0)]
    [TestCase(1, 0)]
    [TestCase(0, 1)]
    [TestCase(1, 1)]
    public void NetVlad_Backward_IsTheDerivative(int hasBias, int softFloor)
    {
        var s = new NetVladShape(2, 6, 5, 3, hasBias, softFloor);
        double[] x = Random(s.XLength, 1), w = Random(s.K * s.D, 2, 3), b = Random(s.K * hasBias, 3), c = Random(s.K * s.D, 4), dy = Random(s.YLength, 5), y = new double[s.YLength];
        double Value()
        {
            NetVlad.Forward<double>(s, x, w, b, c, y);
            return Dot(y, dy);
        }
        double[] dx = new double[x.Length], dw = new double[w.Length], db = new double[b.Length], dc = new double[c.Length];
        NetVlad.Backward<double>(s, x, w, b, c, dy, dx, dw, db, dc);
        Check("dx", x, dx, Value);
        Check("dw", w, dw, Value);
        Check("dc", c, dc, Value);
        if (hasBias != 0)
            Check("db", b, db, Value);
    }

    [Test]
    public void NormalisationGradients_AreZeroWhereTheClampActed()
    {
        var rows = new RowsShape(1, 3);
        double[] x = new double[3], y = new double[3], dx = [1, 1, 1];
        L2Normalization.Backward<double>(rows, x, y, [1, 2, 3], dx);
        Assert.That(dx, Is.All.Zero);
        // A local descriptor of zeros gets no gradient; the others do.
        var s = new NetVladShape(1, 3, 4, 2);
        double[] map = Random(s.XLength, 1), gradient = new double[s.XLength], unused = new double[s.K * s.D], unusedToo = new double[s.K * s.D];
        map.AsSpan(4, 4).Clear();
        NetVlad.Backward<double>(s, map, Random(8, 2), [], Random(8, 3), Random(8, 4), gradient, unused, [], unusedToo);
        Assert.That(gradient[4..8], Is.All.Zero);
        Assert.That(gradient[..4], Has.Some.Not.Zero);
    }
}
