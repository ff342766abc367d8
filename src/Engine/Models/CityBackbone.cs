using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// A small trunk to be trained from scratch, for the embedded city and other small images: 64 channels at 1/8 of the input's sides. The
/// first layer strides, since a convolution of three channels at full size would take as long as all others. 52 MFLOP for an image of
/// 96×128.
/// </summary>
internal static class CityBackbone
{
    public static Backbone Value { get; } = new(
        "city",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "features.0", 3, 24, 5, stride: 2, padding: 2, alias: "conv1"),
            new MaxPoolingLayer("features.2", 2, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "features.3", 24, 48, 3, padding: 1, alias: "conv2"),
            new MaxPoolingLayer("features.5", 2, 2, settings.RoundsUp),
            new ConvolutionLayer(device, "features.6", 48, 64, 3, padding: 1, alias: "conv3"),
            new ConvolutionLayer(device, "features.8", 64, 64, 3, padding: 1, relu: settings.KeepRelu, alias: "conv4"),
        ],
        CeilPooling: false,
        Preprocessing.City);
}
