using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// SqueezeNet 1.1 (1602.07360) up to fire9: 512 channels at 1/16 of the input's sides. Names are torchvision's; its weights want pooling that
/// rounds up and ImageNet's preprocessing, those converted from Caffe's lineage the defaults here.
/// </summary>
internal static class SqueezeNetBackbone
{
    public static Backbone Value { get; } = new(
        "squeezenet",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "features.0", 3, 64, 3, stride: 2, alias: "conv1"),
            new MaxPoolingLayer("features.2", 3, 2, settings.RoundsUp),
            new FireLayer(device, "features.3", 64, 16, 64, alias: "fire2"),
            new FireLayer(device, "features.4", 128, 16, 64, alias: "fire3"),
            new MaxPoolingLayer("features.5", 3, 2, settings.RoundsUp),
            new FireLayer(device, "features.6", 128, 32, 128, alias: "fire4"),
            new FireLayer(device, "features.7", 256, 32, 128, alias: "fire5"),
            new MaxPoolingLayer("features.8", 3, 2, settings.RoundsUp),
            new FireLayer(device, "features.9", 256, 48, 192, alias: "fire6"),
            new FireLayer(device, "features.10", 384, 48, 192, alias: "fire7"),
            new FireLayer(device, "features.11", 384, 64, 256, alias: "fire8"),
            new FireLayer(device, "features.12", 512, 64, 256, settings.KeepRelu, alias: "fire9"),
        ],
        CeilPooling: false,
        Preprocessing.Vgg);
}
