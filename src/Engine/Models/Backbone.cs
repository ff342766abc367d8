using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// A trunk: how to make its list of layers, and what its published weights were made for. The last layer's map is what pooling gets, any
/// [H, W, D]; whoever has a trunk of their own makes one of these and gives it to <see cref="Network.Create"/> and <see cref="Network.Load"/>.
/// </summary>
/// <param name="Name">As in files and on the command line.</param>
/// <param name="Layers">Makes the layers; the settings' rounding is known.</param>
/// <param name="CeilPooling">Pooling windows that reach over the border are cut rather than dropped, unless the settings say otherwise.</param>
/// <param name="Preprocessing">What its published weights take.</param>
public sealed record Backbone(string Name, Func<Device, NetworkSettings, IReadOnlyList<Layer>> Layers, bool CeilPooling, Preprocessing Preprocessing)
{
    /// <summary>All that are known by name.</summary>
    public static IReadOnlyList<Backbone> All { get; } =
        [CityBackbone.Value, SqueezeNetBackbone.Value, Vgg16Backbone.Value, AlexNetBackbone.Value, CaffeAlexNetBackbone.Value];

    /// <exception cref="UserErrorException">There is none of that name.</exception>
    public static Backbone Named(string name)
        => All.FirstOrDefault(b => b.Name == name)
            ?? throw new UserErrorException($"There is no backbone {name}: take one of {string.Join(", ", All.Select(b => b.Name))}.");
}
