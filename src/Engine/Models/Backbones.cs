using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>The trunks: lists of layers up to the last convolution, named as torchvision names them.</summary>
public static class Backbones
{
    public const string City = "city", Vgg16 = "vgg16", AlexNet = "alexnet";

    public static IReadOnlyList<string> Names { get; } = [City, Vgg16, AlexNet];

    /// <param name="keepRelu">The last convolution's ReLU stays.</param>
    /// <exception cref="UserErrorException">There is no such trunk.</exception>
    public static Layer[] Create(Device device, string name, bool keepRelu) => name switch
    {
        City => CityTrunk(device, keepRelu),
        Vgg16 => VggTrunk(device, keepRelu),
        AlexNet => AlexNetTrunk(device, keepRelu),
        _ => throw new UserErrorException($"There is no backbone {name}: take one of {string.Join(", ", Names)}."),
    };

    /// <summary>Small, for training from scratch: three convolutions before a last one of 64 channels, 1/16 of the input's sides.</summary>
    private static Layer[] CityTrunk(Device device, bool keepRelu) =>
    [
        new ConvolutionLayer(device, "features.0", 3, 24, 5, stride: 2, padding: 2, alias: "conv1"),
        new MaxPoolingLayer("features.2", 2, 2),
        new ConvolutionLayer(device, "features.3", 24, 48, 3, padding: 1, alias: "conv2"),
        new MaxPoolingLayer("features.5", 2, 2),
        new ConvolutionLayer(device, "features.6", 48, 64, 3, padding: 1, alias: "conv3"),
        new ConvolutionLayer(device, "features.8", 64, 64, 3, padding: 1, relu: keepRelu, alias: "conv4"),
    ];

    /// <summary>VGG-16 (1409.1556) up to conv5_3.</summary>
    private static Layer[] VggTrunk(Device device, bool keepRelu)
    {
        int[][] blocks = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];
        var layers = new List<Layer>();
        int index = 0, channels = 3;
        for (int block = 0; block < blocks.Length; block++)
        {
            for (int i = 0; i < blocks[block].Length; i++)
            {
                bool last = block == 4 && i == 2;
                layers.Add(new ConvolutionLayer(
                    device, $"features.{index}", channels, blocks[block][i], 3, padding: 1, relu: !last || keepRelu, alias: $"conv{block + 1}_{i + 1}"));
                channels = blocks[block][i];
                index += 2;
            }
            if (block < 4)
                layers.Add(new MaxPoolingLayer($"features.{index++}", 2, 2));
        }
        return [.. layers];
    }

    /// <summary>torchvision's AlexNet (1404.5997) up to conv5: no groups, no response normalisation, floor pooling.</summary>
    private static Layer[] AlexNetTrunk(Device device, bool keepRelu) =>
    [
        new ConvolutionLayer(device, "features.0", 3, 64, 11, stride: 4, padding: 2, alias: "conv1"),
        new MaxPoolingLayer("features.2", 3, 2),
        new ConvolutionLayer(device, "features.3", 64, 192, 5, padding: 2, alias: "conv2"),
        new MaxPoolingLayer("features.5", 3, 2),
        new ConvolutionLayer(device, "features.6", 192, 384, 3, padding: 1, alias: "conv3"),
        new ConvolutionLayer(device, "features.8", 384, 256, 3, padding: 1, alias: "conv4"),
        new ConvolutionLayer(device, "features.10", 256, 256, 3, padding: 1, relu: keepRelu, alias: "conv5"),
    ];
}
