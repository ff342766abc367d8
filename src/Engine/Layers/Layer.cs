using ILGPU;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// A layer of a network: its parameters, the shape of what it makes, what it must keep for the way back, and both ways. A network is a list
/// of them; there is no other graph.
/// </summary>
/// <param name="name">As in files: parameters are named after it.</param>
/// <param name="alias">A name that people use, such as <c>conv5_1</c>, where files have another.</param>
public abstract class Layer(string name, string? alias = null) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>A name that people use; null where it is <see cref="Name"/>.</summary>
    public string? Alias { get; } = alias;

    /// <summary>Short, as people say it: for timelines.</summary>
    public string Label => Alias ?? Name;

    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <exception cref="UserErrorException">The map is too small for this layer, or has other channels.</exception>
    public abstract MapShape Output(MapShape input);

    /// <summary>Rows, and columns, of its input that one number of its output sees, and how far apart those of neighbours begin; of layers side by side the most.</summary>
    public virtual (int Window, int Stride) Field => (1, 1);

    /// <summary>The way back reads the layer's input.</summary>
    public abstract bool KeepsInput { get; }

    /// <summary>The way back reads the layer's output.</summary>
    public abstract bool KeepsOutput { get; }

    /// <summary>Whether it can take its input in bf16, and give the gradient of that so.</summary>
    /// <param name="learns">Whether there is a way back through it.</param>
    public virtual bool TakesBf16(Device device, MapShape input, bool learns) => false;

    /// <summary>Whether it can make its output in bf16, and take the gradient of that so.</summary>
    /// <inheritdoc cref="TakesBf16"/>
    public virtual bool MakesBf16(Device device, MapShape input, bool learns) => false;

    /// <summary>Numbers that it makes on the way forth, beside its output, and reads on the way back.</summary>
    public virtual long Kept(int images, LayerMaps maps) => 0;

    /// <summary>Numbers that <see cref="Prepare"/> makes of its parameters alone, whatever the number of images.</summary>
    public virtual long Prepared(Device device, int images, LayerMaps maps) => 0;

    /// <summary>Names what <see cref="Prepare"/> makes: where name and length are equal, one layer makes the same of the same parameters, whatever the size of its map.</summary>
    public virtual string PreparedLayout(Device device, int images, LayerMaps maps) => "";

    /// <summary>Whether the way back reads <see cref="LayerPass.Prepared"/> too, which then stays from update to update.</summary>
    public virtual bool KeepsPrepared(Device device, int images, LayerMaps maps) => false;

    /// <summary>Fills <see cref="LayerPass.Prepared"/> for all forward passes until a parameter changes.</summary>
    public virtual void Prepare(in LayerPass pass)
    {
    }

    /// <summary>Gives back the memory of parameters that <see cref="Forward"/> does not read where <see cref="Prepare"/> has run (<see cref="Parameter.Release"/>).</summary>
    internal virtual void ReleaseParameters(in LayerPass pass)
    {
    }

    /// <summary>Numbers of workspace of <see cref="Forward"/>, beside <see cref="Prepared"/>.</summary>
    public virtual long ForwardWorkspace(Device device, int images, LayerMaps maps) => 0;

    /// <summary>Numbers of workspace of <see cref="Backward"/>.</summary>
    /// <param name="data">Whether the gradient of the input is asked for.</param>
    public virtual long BackwardWorkspace(Device device, int images, LayerMaps maps, bool data) => 0;

    public abstract void Forward(in LayerPass pass);

    /// <summary>What it computes of one image's whole map, where it can compute rows of that too, with the numbers that <see cref="Forward"/> has and from what <see cref="Prepare"/> makes; else null.</summary>
    internal virtual ConvolutionBand? Bands(Device device, MapShape input) => null;

    /// <summary>Rows of one image's map, to be run.</summary>
    /// <param name="pass">Of one image; its maps may be rings of rows.</param>
    /// <param name="band">Of <see cref="Bands"/>.</param>
    /// <param name="after">As of <see cref="ConvolutionBandStep"/>.</param>
    internal virtual ConvolutionBandStep Step(in LayerPass pass, in ConvolutionBand band, int after) => throw new InvalidOperationException($"{this} computes whole maps.");

    /// <summary>Overwrites its parameters' gradients, and <paramref name="dx"/>.</summary>
    /// <param name="dy">[images, output]; in bf16 it may be changed.</param>
    /// <param name="dx">[images, input]; empty where nothing before this layer learns.</param>
    public abstract void Backward(in LayerPass pass, ArrayView<float> dy, ArrayView<float> dx);

    /// <summary>Adds itself to a graph whose maps are [N, channels, rows, columns].</summary>
    /// <param name="x">Name of what it takes.</param>
    /// <returns>The name of what it makes.</returns>
    public abstract string Export(OnnxGraph graph, string x);

    public void Dispose()
    {
        foreach (var p in Parameters)
            p.Dispose();
    }

    public override string ToString() => Alias is null ? Name : $"{Name} ({Alias})";
}
