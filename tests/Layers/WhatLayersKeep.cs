using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Layers;

/// <summary>
/// A plan gives away the memory of what a layer does not keep. So the way back must give the same bits when all of that has become NaN, and
/// it may not trust what it finds in its workspace either.
/// </summary>
[TestFixture]
public sealed class WhatLayersKeep
{
    private const int Images = 2, Channels = 8;

    private static Dictionary<string, Func<Device, Layer>> Layers { get; } = new()
    {
        ["convolution"] = d => new ConvolutionLayer(d, "l", Channels, 6, 3, padding: 1),
        ["convolution without relu"] = d => new ConvolutionLayer(d, "l", Channels, 6, 3, stride: 2, relu: false),
        ["max pooling"] = _ => new MaxPoolingLayer("l", 3, 2),
        ["local response"] = _ => new LocalResponseLayer("l", 5, 0.01f, 0.75f, 1),
        ["fire"] = d => new FireLayer(d, "l", Channels, 3, 5),
        ["max"] = _ => new GlobalPoolingLayer(max: true, softFloor: false),
        ["average"] = _ => new GlobalPoolingLayer(max: false, softFloor: true),
        ["netvlad"] = d => new NetVladLayer(d, 4, Channels, hasBias: true, softFloor: false),
    };

    public static IEnumerable<string> Names => Layers.Keys;

    [TestCaseSource(nameof(Names))]
    public void TheWayBack_ReadsNothingElse(string name)
    {
        var device = Devices.Cpu;
        using var layer = Layers[name](device);
        var input = new MapShape(7, 9, Channels);
        var random = new Random(4);
        foreach (var p in layer.Parameters)
        {
            p.PrepareTraining();
            p.Write(TinyTrunk.Numbers(random, (int)p.Length, 0.5f));
        }
        long size = Images * layer.Output(input).Length;
        using var x = device.Allocate(TinyTrunk.Numbers(random, (int)(Images * input.Length)));
        using var y = device.Allocate(size);
        using var dy = device.Allocate(TinyTrunk.Numbers(random, (int)size));
        using var dx = device.Allocate(x.Length);
        using var kept = device.Allocate(layer.Kept(Images, input));
        using var workspace = device.Allocate(Math.Max(layer.ForwardWorkspace(device, Images, input), layer.BackwardWorkspace(device, Images, input, data: true)));
        using var prepared = device.Allocate(layer.Prepared(device, Images, input));
        var pass = new LayerPass(device, Images, input, x, y, kept, workspace);

        Forward();
        layer.Backward(pass, dy, dx);
        var expected = Results();
        Assert.That(expected.SelectMany(r => r), Has.All.Matches<float>(float.IsFinite));
        float[] data = device.Download(x.View);

        Poison(workspace, true);
        Poison(y, true);
        Poison(prepared, true);
        Forward();
        Poison(workspace, true);
        Poison(prepared, true);
        Poison(x, !layer.KeepsInput);
        Poison(y, !layer.KeepsOutput);
        layer.Backward(pass, dy, dx);
        Assert.That(Results(), Is.EqualTo(expected));
        device.Upload(data, x);
        Forward();
        layer.Backward(pass, dy, default);
        Assert.That(Results().Skip(1), Is.EqualTo(expected.Skip(1)), "without the gradient of the input");

        void Forward()
        {
            var whole = pass with { Prepared = prepared };
            if (prepared.Length > 0)
                layer.Prepare(whole);
            layer.Forward(whole);
        }

        float[][] Results() => [device.Download(dx.View), .. layer.Parameters.Select(p => p.ReadGradient())];

        void Poison(DeviceBuffer buffer, bool really)
        {
            if (really)
                device.Upload(Enumerable.Repeat(float.NaN, (int)buffer.Length).ToArray(), buffer);
        }
    }
}
