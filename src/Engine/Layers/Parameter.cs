using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// Numbers that a network learns, on its device. Files hold weights of convolutions as PyTorch does, [Oc, Ic/groups, R, S], memory as the kernels want them,
/// [R, S, Ic/groups, Oc]; everything else is the same in both.
/// </summary>
public sealed class Parameter : IDisposable
{
    private readonly Device device;
    private readonly DeviceBuffer value;
    private DeviceBuffer? gradient, velocity;

    /// <param name="name">As in files, such as <c>features.0.weight</c>.</param>
    /// <param name="layer">The layer that it belongs to.</param>
    /// <param name="fileShape">Four numbers for a convolution's weight, [Oc, Ic/groups, R, S].</param>
    public Parameter(Device device, string name, string layer, params int[] fileShape)
    {
        this.device = device;
        Name = name;
        Layer = layer;
        FileShape = fileShape;
        Length = fileShape.Aggregate(1L, (a, b) => a * b);
        value = device.Allocate(Length);
    }

    public string Name { get; }
    public string Layer { get; }
    public int[] FileShape { get; }
    public long Length { get; }

    /// <summary>In the kernels' layout.</summary>
    public ArrayView<float> Value => value.View;

    /// <summary>Exists once a plan for training was made.</summary>
    public ArrayView<float> Gradient => (gradient ?? throw new InvalidOperationException($"{Name} is not trained.")).View;

    /// <inheritdoc cref="Gradient"/>
    public ArrayView<float> Velocity => (velocity ?? throw new InvalidOperationException($"{Name} is not trained.")).View;

    /// <summary>Makes gradient and velocity, zero, if there are none yet.</summary>
    internal void PrepareTraining()
    {
        gradient ??= device.Allocate(Length);
        velocity ??= device.Allocate(Length);
    }

    /// <summary>The values in the file's layout.</summary>
    public float[] Read()
    {
        var memory = device.Download(Value);
        if (FileShape.Length != 4)
            return memory;
        var file = new float[Length];
        Transpose((m, f) => file[f] = memory[m]);
        return file;
    }

    /// <summary>Takes values in the file's layout.</summary>
    public void Write(ReadOnlySpan<float> fileLayout)
    {
        if (fileLayout.Length != Length)
            throw new ArgumentException($"{Name} has {Length} numbers, not {fileLayout.Length}.");
        var file = fileLayout.ToArray();
        var memory = file;
        if (FileShape.Length == 4)
        {
            memory = new float[Length];
            Transpose((m, f) => memory[m] = file[f]);
        }
        device.Upload(memory, Value);
    }

    /// <summary>Calls with the place in memory and in the file of every number of a convolution's weight.</summary>
    private void Transpose(Action<int, int> each)
    {
        int oc = FileShape[0], ic = FileShape[1], taps = FileShape[2] * FileShape[3];
        for (int o = 0; o < oc; o++)
            for (int c = 0; c < ic; c++)
                for (int t = 0; t < taps; t++)
                    each((t * ic + c) * oc + o, (o * ic + c) * taps + t);
    }

    public void Dispose()
    {
        value.Dispose();
        gradient?.Dispose();
        velocity?.Dispose();
    }
}
