using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>VGG-16 (1409.1556) up to conv5_3: 512 channels at 1/16 of the input's sides. Names are torchvision's.</summary>
internal static class Vgg16Backbone
{
    private static readonly int[][] Blocks = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

    public static Backbone Value { get; } = new(
        "vgg16",
        (device, settings) =>
        {
            var layers = new List<Layer>();
            int index = 0, channels = 3;
            for (int block = 0; block < Blocks.Length; block++)
            {
                if (block > 0)
                    layers.Add(new MaxPoolingLayer($"features.{index++}", 2, 2, settings.RoundsUp, $"pool{block}"));
                for (int i = 0; i < Blocks[block].Length; i++)
                {
                    int width = Blocks[block][i];
                    bool last = block == Blocks.Length - 1 && i == Blocks[block].Length - 1;
                    layers.Add(new ConvolutionLayer(
                        device, $"features.{index}", channels, width, 3, padding: 1, relu: !last || settings.KeepRelu, alias: $"conv{block + 1}_{i + 1}"));
                    channels = width;
                    // torchvision counts ReLU as a layer of its own.
                    index += 2;
                }
            }
            return layers;
        },
        CeilPooling: false,
        Preprocessing.ImageNet);
}
