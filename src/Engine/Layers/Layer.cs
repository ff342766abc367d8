using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>A layer of a network: its parameters, the shape of what it makes, what it must keep for the way back, and both ways.</summary>
public abstract class Layer(string name, string? alias = null) : IDisposable
{
    /// <summary>As in files: parameters are named after it.</summary>
    public string Name { get; } = name;

    /// <summary>A name that people use, such as <c>conv5_1</c>; null where there is none.</summary>
    public string? Alias { get; } = alias;

    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <exception cref="UserErrorException">The map is too small for this layer.</exception>
    public abstract MapShape Output(MapShape input);

    /// <summary>Numbers that it keeps beside its output, from forward for backward.</summary>
    public virtual long Kept(int images, MapShape input) => 0;

    /// <summary>Numbers of workspace that a pass of so many images may take, both ways.</summary>
    public abstract long Workspace(Device device, int images, MapShape input, bool training);

    public abstract void Forward(in LayerPass pass);

    /// <summary>Overwrites its parameters' gradients, and <paramref name="dx"/>.</summary>
    /// <param name="dx">Empty where nothing before this layer learns.</param>
    public abstract void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx);

    public void Dispose()
    {
        foreach (var p in Parameters)
            p.Dispose();
    }

    public override string ToString() => Alias is null ? Name : $"{Name} ({Alias})";
}
