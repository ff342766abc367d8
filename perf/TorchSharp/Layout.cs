using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>How tensors of four dimensions lie in memory; libtorch's convolutions on processors are faster with channels last.</summary>
internal enum Layout
{
    Contiguous,
    ChannelsLast,
}

internal static class Layouts
{
    /// <summary>[B,C,H,W] laid out so; the shape stays.</summary>
    public static Tensor Laid(this Tensor tensor, Layout layout)
        => layout == Layout.Contiguous || tensor.dim() != 4 ? tensor : tensor.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    /// <summary>All convolutions' weights laid out so.</summary>
    public static void Lay(this nn.Module module, Layout layout)
    {
        foreach (var convolution in module.modules().OfType<Conv2d>())
            convolution.weight = nn.Parameter(convolution.weight.detach().Laid(layout));
    }
}
