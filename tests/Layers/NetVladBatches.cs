using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Layers;

/// <summary>The host's NetVLAD takes many images one by one and few images with all threads together: nobody must see which.</summary>
[TestFixture]
public sealed class NetVladBatches
{
    /// <summary>Blocks of descriptors that are not full, panels of four vectors, of one and of none, clusters of several register tiles.</summary>
    private static NetVladShape[] Shapes => [new(9, 98, 147, 70, 1), new(9, 3, 40, 5), new(9, 97, 6, 13, 1, SoftFloor: 1)];

    [TestCaseSource(nameof(Shapes))]
    public void AnImagesNumbers_AreThoseThatItHasAlone(NetVladShape shape)
    {
        using var device = Device.Cpu(2);
        float[][] inputs = NetVlad.BackwardOperation.InputsFor(shape, 7), many = Run(device, shape, inputs);
        float[] y = Describe(device, shape, inputs);
        var one = shape with { B = 1 };
        float[][] sums = [.. inputs[6..].Select(gradient => new float[gradient.Length])];
        for (int image = 0; image < shape.B; image++)
        {
            float[][] own = [.. inputs];
            own[0] = Part(inputs[0], image, shape.N * shape.D);
            own[4] = Part(inputs[4], image, shape.K * shape.D);
            float[][] alone = Run(device, one, own);
            Assert.That(Part(y, image, shape.K * shape.D), Is.EqualTo(Describe(device, one, own)), $"y of image {image}");
            Assert.That(Part(many[5], image, shape.N * shape.D), Is.EqualTo(alone[5]), $"dx of image {image}");
            for (int p = 0; p < sums.Length; p++)
                for (int i = 0; i < sums[p].Length; i++)
                    sums[p][i] += alone[6 + p][i];
        }
        Assert.That(many[6..], Is.EqualTo(sums), "dw, db and dc: the images in order");
    }

    [TestCaseSource(nameof(Shapes))]
    public void ThreadsDoNotMatter(NetVladShape shape)
    {
        float[][] inputs = NetVlad.BackwardOperation.InputsFor(shape, 8);
        using var single = Device.Cpu(1);
        float[][] expected = Run(single, shape, inputs);
        float[] y = Describe(single, shape, inputs);
        // With 16 threads nine images are few.
        foreach (int threads in new[] { 2, 3, 4, 16 })
        {
            using var device = Device.Cpu(threads);
            Assert.That(Describe(device, shape, inputs), Is.EqualTo(y), $"y with {threads} threads");
            float[][] found = Run(device, shape, inputs);
            for (int i = 5; i < found.Length; i++)
                Assert.That(found[i], Is.EqualTo(expected[i]), $"gradient {i} with {threads} threads");
        }
    }

    private static float[] Part(float[] values, int index, int length) => values[(index * length)..((index + 1) * length)];

    private static float[] Describe(Device device, NetVladShape shape, float[][] inputs)
        => Run(device, NetVlad.ForwardOperation, shape, [.. inputs[..4], new float[shape.YLength]])[4];

    private static float[][] Run(Device device, NetVladShape shape, float[][] inputs) => Run(device, NetVlad.BackwardOperation, shape, inputs);

    private static float[][] Run(Device device, Operation<NetVladShape> operation, NetVladShape shape, float[][] inputs)
    {
        var specs = operation.Buffers(shape);
        var buffers = specs.Select((spec, i) =>
        {
            var buffer = device.Allocate(Math.Max(1, spec.Length));
            if (spec.Access != Access.Write)
                device.Upload(inputs[i], buffer.View);
            return buffer;
        }).ToArray();
        using var workspace = device.Allocate(Math.Max(1, operation.Workspace(device, shape)));
        device.Upload(Enumerable.Repeat(float.NaN, (int)workspace.Length).ToArray(), workspace);
        operation.Run(device, shape, [.. buffers.Select((b, i) => b.View.SubView(0, specs[i].Length))], workspace);
        float[][] results = [.. buffers.Select((b, i) => device.Download(b.View.SubView(0, specs[i].Length)))];
        foreach (var buffer in buffers)
            buffer.Dispose();
        return results;
    }
}
