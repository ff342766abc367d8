using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>torchvision's AlexNet (1404.5997) up to conv5: 256 channels at about 1/16; no groups, no response normalisation.</summary>
internal static class AlexNetBackbone
{
    public static Backbone Value { get; } = new(
        "alexnet",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "features.0", 3, 64, 11, stride: 4, padding: 2, alias: "conv1"),
            new MaxPoolingLayer("features.2", 3, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "features.3", 64, 192, 5, padding: 2, alias: "conv2"),
            new MaxPoolingLayer("features.5", 3, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "features.6", 192, 384, 3, padding: 1, alias: "conv3"),
            new ConvolutionLayer(device, "features.8", 384, 256, 3, padding: 1, alias: "conv4"),
            new ConvolutionLayer(device, "features.10", 256, 256, 3, padding: 1, relu: settings.KeepRelu, alias: "conv5"),
        ],
        CeilPooling: false,
        Preprocessing.ImageNet);
}
