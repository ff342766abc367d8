using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>
/// The way back of a whole network with every kind of layer against differences of the way forth: along the gradient of each parameter,
/// L(θ + hv) − L(θ − hv) over 2h must be g·v.
/// </summary>
[TestFixture]
public sealed class NetworkGradients
{
    private const int Images = 3;

    [Test]
    public void GradientsAreSlopes([Values] PoolingKind pooling)
    {
        var device = Devices.Reference;
        using var network = TinyTrunk.Network(device, pooling);
        using var plan = network.Plan(Images, TinyTrunk.Height, TinyTrunk.Width, training: true);
        device.Upload(TinyTrunk.Images(Images), plan.Input);
        float[] weights = TinyTrunk.Numbers(new Random(9), Images * network.PooledLength);
        using var dDescriptors = device.Allocate(weights);
        plan.Forward(Images);
        plan.Backward(Images, dDescriptors);
        foreach (var p in plan.Trained)
        {
            float[] at = p.Read(), gradient = p.ReadGradient();
            double norm = Math.Sqrt(gradient.Sum(g => (double)g * g));
            Assert.That(norm, Is.GreaterThan(1e-4), $"{p.Name} must matter");
            // Long steps meet kinks of ReLU and of maxima, short ones the rounding of fp32; a wrong gradient is wrong by any.
            double size = Math.Max(1, Math.Sqrt(at.Sum(x => (double)x * x)));
            double slope = new[] { 1e-3, 3e-4, 1e-4, 5e-5 }.Select(s => (LossAt(s * size) - LossAt(-s * size)) / (2 * s * size)).MinBy(s => Math.Abs(s - norm));
            p.Write(at);
            Assert.That(slope, Is.EqualTo(norm).Within(0.01 * norm), p.Name);

            double LossAt(double step)
            {
                p.Write([.. at.Select((x, i) => (float)(x + step * gradient[i] / norm))]);
                float[] y = device.Download(plan.Forward(Images));
                return y.Select((v, i) => (double)v * weights[i]).Sum();
            }
        }
    }

    [Test]
    public void HostAndReference_Agree([Values] PoolingKind pooling, [Values] bool softFloor)
    {
        var results = new List<float[][]>();
        foreach (var device in new[] { Devices.Cpu, Devices.Reference })
        {
            using var network = TinyTrunk.Network(device, pooling, softFloor: softFloor);
            using var plan = network.Plan(Images, TinyTrunk.Height, TinyTrunk.Width, training: true);
            device.Upload(TinyTrunk.Images(Images), plan.Input);
            float[] y = device.Download(plan.Forward(Images));
            using var dy = device.Allocate(TinyTrunk.Numbers(new Random(9), y.Length));
            plan.Backward(Images, dy);
            results.Add([y, .. plan.Trained.Select(p => p.ReadGradient())]);
        }
        for (int i = 0; i < results[0].Length; i++)
            Assert.That(IlgpuNetVlad.Kernels.DeviceCheck.RelativeError(results[0][i], results[1][i]), Is.LessThan(i == 0 ? 1e-5 : 1e-4), $"buffer {i}");
    }
}
