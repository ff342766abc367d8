using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>The trunks with torchvision's layers and names, cropped before the last ReLU.</summary>
internal static class Trunks
{
    /// <summary>Layers in their order with their numbers in torchvision's list, and the channels that come out.</summary>
    public static (List<(string Name, Module<Tensor, Tensor> Layer)> Layers, int Channels) Named(string backbone)
    {
        var layers = new List<Module<Tensor, Tensor>>();
        int channels = 3;
        switch (backbone)
        {
            case "vgg16":
                foreach (int width in (int[])[64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512])
                {
                    if (width == 0)
                        layers.Add(MaxPool2d(2, 2));
                    else
                    {
                        layers.Add(Conv2d(channels, width, 3, padding: 1));
                        layers.Add(ReLU(inplace: true));
                        channels = width;
                    }
                }
                layers.RemoveAt(layers.Count - 1);
                break;
            case "alexnet":
                layers.AddRange(
                [
                    Conv2d(3, 64, 11, stride: 4, padding: 2), ReLU(inplace: true), MaxPool2d(3, 2),
                    Conv2d(64, 192, 5, padding: 2), ReLU(inplace: true), MaxPool2d(3, 2),
                    Conv2d(192, 384, 3, padding: 1), ReLU(inplace: true), Conv2d(384, 256, 3, padding: 1), ReLU(inplace: true), Conv2d(256, 256, 3, padding: 1),
                ]);
                channels = 256;
                break;
            case "squeezenet":
                layers.AddRange(
                [
                    Conv2d(3, 64, 3, stride: 2), ReLU(inplace: true), MaxPool2d(3, 2), new Fire(64, 16, 64), new Fire(128, 16, 64), MaxPool2d(3, 2), new Fire(128, 32, 128),
                    new Fire(256, 32, 128), MaxPool2d(3, 2), new Fire(256, 48, 192), new Fire(384, 48, 192), new Fire(384, 64, 256), new Fire(512, 64, 256, last: true),
                ]);
                channels = 512;
                break;
            default:
                throw new ArgumentException($"There is no backbone {backbone}: take vgg16, alexnet or squeezenet.");
        }
        return ([.. layers.Select((layer, i) => ($"{i}", layer))], channels);
    }

    /// <summary>SqueezeNet's fire module; the last one's outputs keep what lies below zero.</summary>
    private sealed class Fire : Module<Tensor, Tensor>
    {
        private readonly Conv2d squeeze, expand1x1, expand3x3;
        private readonly bool last;

        public Fire(int channels, int squeezed, int each, bool last = false)
            : base("fire")
        {
            this.last = last;
            squeeze = Conv2d(channels, squeezed, 1);
            expand1x1 = Conv2d(squeezed, each, 1);
            expand3x3 = Conv2d(squeezed, each, 3, padding: 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var s = squeeze.forward(x).relu_();
            var both = cat([expand1x1.forward(s), expand3x3.forward(s)], 1);
            return (last ? both : both.relu_()).MoveToOuterDisposeScope();
        }
    }
}
