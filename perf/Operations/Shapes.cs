using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>Real shapes: VGG-16 and SqueezeNet at 480×640, one image; the city's network at 96×128, a training batch of 48.</summary>
internal static class Shapes
{
    public static IEnumerable<Shape<ConvolutionShape>> Convolutions()
    {
        yield return new("vgg16:conv1_1", new(1, 480, 640, 3, 64, 3, 3, 1, 1, 1, 1));
        yield return new("vgg16:conv2_2", new(1, 240, 320, 128, 128, 3, 3, 1, 1, 1, 1));
        yield return new("vgg16:conv5_1", new(1, 30, 40, 512, 512, 3, 3, 1, 1, 1, 1));
        yield return new("squeezenet:fire2.squeeze", new(1, 119, 159, 64, 16, 1, 1, 1, 0, 1, 1));
        yield return new("squeezenet:fire9.expand3x3", new(1, 29, 39, 64, 256, 3, 3, 1, 1, 1, 1));
        yield return new("city:conv2", new(48, 24, 32, 24, 48, 3, 3, 1, 1, 1, 1));
    }

    public static IEnumerable<Shape<NetVladShape>> NetVlads()
    {
        yield return new("vgg16", new(1, 1200, 512, 64));
        yield return new("city", new(48, 48, 64, 64));
    }

    public static IEnumerable<Shape<GemmShape>> Products()
    {
        yield return new("square", new(1024, 1024, 1024));
        yield return new("pca", new(16, 4096, 32768, 0, 1));
    }

    public static IEnumerable<Shape<SearchShape>> Searches()
    {
        yield return new("1000 in 10000, 4096", new(1000, 10000, 4096, 100));
    }
}
