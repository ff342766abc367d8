using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>One layer's share of a pass of some images through a network.</summary>
/// <param name="Maps">One image's map in <paramref name="X"/>, and how both maps lie in memory.</param>
/// <param name="X">[images, input]</param>
/// <param name="Y">[images, output]</param>
/// <param name="Kept">What the layer said that it keeps from forward for backward.</param>
/// <param name="Workspace">Contents undefined before and after.</param>
/// <param name="Prepared">What <see cref="Layer.Prepare"/> made of its parameters; empty on the way back, but for layers that keep it.</param>
public readonly record struct LayerPass(
    Device Device, int Images, LayerMaps Maps, ArrayView<float> X, ArrayView<float> Y, ArrayView<float> Kept, ArrayView<float> Workspace,
    ArrayView<float> Prepared = default)
{
    /// <summary>Shape of one image's map in <see cref="X"/>.</summary>
    public MapShape Input => Maps.Input;
}
