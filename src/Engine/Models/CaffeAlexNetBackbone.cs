using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// The original AlexNet as Caffe has it, the trunk of the paper's smaller networks, up to conv5: 256 channels at about 1/16. conv2, conv4 and
/// conv5 are split in two groups, responses are normalised after conv1 and conv2, pooling windows overlap and round up.
/// </summary>
internal static class CaffeAlexNetBackbone
{
    public static Backbone Value { get; } = new(
        "alexnet-caffe",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "conv1", 3, 96, 11, stride: 4),
            Normalise("norm1", settings),
            new MaxPoolingLayer("pool1", 3, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "conv2", 96, 256, 5, padding: 2, groups: 2),
            Normalise("norm2", settings),
            new MaxPoolingLayer("pool2", 3, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "conv3", 256, 384, 3, padding: 1),
            new ConvolutionLayer(device, "conv4", 384, 384, 3, padding: 1, groups: 2),
            new ConvolutionLayer(device, "conv5", 384, 256, 3, padding: 1, groups: 2, relu: settings.KeepRelu),
        ],
        CeilPooling: true,
        new([122.68f, 116.67f, 104.01f], [1, 1, 1]));

    /// <summary>α = 1e-4 over a window of 5.</summary>
    private static LocalResponseLayer Normalise(string name, NetworkSettings settings) => new(name, 5, 1e-4f / 5, 0.75f, settings.ResponseOffset);
}
