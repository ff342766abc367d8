using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

[TestFixture]
public sealed class PlanMemory
{
    [Test]
    public void WhatIsForetold_IsAllocated_AndStepsAllocateNothing([Values] PoolingKind pooling, [Values(null, "d")] string? from)
    {
        using var device = Device.Cpu(threads: 2);
        using var network = TinyTrunk.Network(device, pooling);
        long foretold = network.PlanBytes(4, TinyTrunk.Height, TinyTrunk.Width, from, training: true), before = device.AllocatedBytes;
        using var plan = network.Plan(4, TinyTrunk.Height, TinyTrunk.Width, from, training: true);
        Assert.That(device.AllocatedBytes - before, Is.EqualTo(foretold));
        long again = network.PlanBytes(2, 20, 30, from, training: true);
        before = device.AllocatedBytes;
        using (var second = network.Plan(2, 20, 30, from, training: true))
        {
            Assert.That(device.AllocatedBytes - before, Is.EqualTo(again), "gradients are shared");
            Assert.That(second.Bytes, Is.EqualTo(again));
        }
        Assert.That(device.AllocatedBytes, Is.EqualTo(before), "and given back");

        using var dy = device.Allocate(4L * network.PooledLength);
        device.Upload(TinyTrunk.Images(4), plan.Input);
        int count = device.AllocationCount;
        for (int images = 4; images >= 0; images--)
        {
            plan.Forward(images);
            plan.Backward(images, dy);
            Assert.That(plan.FirstNonFinite(), Is.Null);
        }
        Assert.That(device.AllocationCount, Is.EqualTo(count));
    }

    [Test]
    public void ADescriptor_DoesNotDependOnTheOthers([Values] PoolingKind pooling)
    {
        using var network = TinyTrunk.Network(Devices.Cpu, pooling);
        float[] images = TinyTrunk.Images(5);
        int length = images.Length / 5;
        using var together = network.Plan(5, TinyTrunk.Height, TinyTrunk.Width);
        Devices.Cpu.Upload(images, together.Input);
        float[] expected = Devices.Cpu.Download(together.Forward(5));
        using var alone = network.Plan(1, TinyTrunk.Height, TinyTrunk.Width, training: true);
        for (int i = 0; i < 5; i++)
        {
            Devices.Cpu.Upload(images.AsSpan(i * length, length), alone.Input);
            Assert.That(Devices.Cpu.Download(alone.Forward(1)), Is.EqualTo(expected[(i * network.PooledLength)..((i + 1) * network.PooledLength)]).AsCollection);
        }
        Assert.That(Devices.Cpu.Download(together.Forward(5)), Is.EqualTo(expected).AsCollection, "the input is still there");
    }

    [Test]
    public void FeaturesAndDescriptors_StayAfterThePass()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        using var plan = network.Plan(3, TinyTrunk.Height, TinyTrunk.Width, training: true);
        Devices.Cpu.Upload(TinyTrunk.Images(3), plan.Input);
        plan.ForwardTrunk(3);
        float[] features = Devices.Cpu.Download(plan.Features(3));
        var y = plan.Forward(3);
        float[] descriptors = Devices.Cpu.Download(y);
        using var dy = Devices.Cpu.Allocate(descriptors);
        plan.Backward(3, dy);
        Assert.That(Devices.Cpu.Download(plan.Features(3)), Is.EqualTo(features).AsCollection);
        Assert.That(Devices.Cpu.Download(y), Is.EqualTo(descriptors).AsCollection);
        for (int i = 0; i < 3; i++)
            Assert.That(Math.Sqrt(descriptors.Skip(i * network.PooledLength).Take(network.PooledLength).Sum(v => (double)v * v)), Is.EqualTo(1).Within(1e-6));
    }

    [Test]
    public void ArenaPieces_ThatLiveAtTheSameTime_DoNotOverlap()
    {
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            var planner = new ArenaPlanner();
            var pieces = Enumerable.Range(0, random.Next(1, 30)).Select(_ =>
            {
                int first = random.Next(20);
                return planner.Add(random.Next(0, 1000), first, first + random.Next(5));
            }).ToList();
            long total = planner.Place();
            foreach (var a in pieces)
            {
                Assert.That(a.Offset % 64, Is.Zero);
                Assert.That(a.Offset + a.Length, Is.LessThanOrEqualTo(total));
                foreach (var b in pieces)
                    if (a != b && a.First <= b.Last && b.First <= a.Last && a.Length > 0 && b.Length > 0)
                        Assert.That(a.Offset + a.Length <= b.Offset || b.Offset + b.Length <= a.Offset);
            }
        }
    }

    [Test]
    public void TooMuchAtOnce_IsRefused()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.Average);
        string message = Assert.Throws<UserErrorException>(() => network.PlanBytes(1000, 1000, 1000))!.Message;
        Assert.That(message, Does.Contain("1000×1000").And.Contain("at most 268").And.EndsWith("."));
        using var plan = network.Plan(2, TinyTrunk.Height, TinyTrunk.Width, training: true);
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Forward(3));
        plan.Forward(2);
        Assert.Throws<ArgumentException>(() => plan.Backward(1, default), "another pass than the one before");
    }

    [Test]
    public void NotANumber_IsTracedToWhereItCameIn()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        using var plan = network.Plan(2, TinyTrunk.Height, TinyTrunk.Width, "conv2_1", training: true);
        float[] images = TinyTrunk.Images(2);
        using var dy = Devices.Cpu.Allocate(2L * network.PooledLength);
        Assert.That(Trace(), Is.Null);

        float[] fire = Parameter("c.squeeze.weight").Read();
        Parameter("c.squeeze.weight").Write([.. fire.Select((x, i) => i == 3 ? float.NaN : x)]);
        Assert.That(Trace(), Is.EqualTo("c.squeeze.weight of c"));
        Parameter("c.squeeze.weight").Write([.. fire.Select(x => 1e38f)]);
        Assert.That(Trace(), Is.EqualTo("the result of c (fire)"));
        Parameter("c.squeeze.weight").Write(fire);

        float[] frozen = Parameter("a.bias").Read();
        Parameter("a.bias").Write([.. frozen.Select(_ => float.NegativeInfinity)]);
        Parameter("a.weight").Write([.. Parameter("a.weight").Read().Select(_ => float.PositiveInfinity)]);
        Assert.That(Trace(), Is.EqualTo("a.weight of a"));
        Parameter("a.bias").Write(frozen);
        Parameter("a.weight").Write(new float[Parameter("a.weight").Length]);

        images[7] = float.NaN;
        Assert.That(Trace(), Is.EqualTo("the images"));
        images[7] = 0;
        Devices.Cpu.Upload([float.NaN], dy);
        Assert.That(Trace(), Does.StartWith("the gradient of pool."));

        Engine.Layers.Parameter Parameter(string name) => network.Parameters.Single(p => p.Name == name);

        string? Trace()
        {
            Devices.Cpu.Upload(images, plan.Input);
            plan.Forward(2);
            plan.Backward(2, dy);
            return plan.FirstNonFinite();
        }
    }
}
