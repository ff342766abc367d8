using ILGPU;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Layers;

/// <summary>
/// Numbers that a network learns, on its device. Files hold the weight of a convolution as PyTorch does, [Oc, Ic/groups, R, S], memory as the
/// kernels want it, [R, S, Ic/groups, Oc]; every other parameter is the same in both.
/// </summary>
public sealed class Parameter : IDisposable
{
    private readonly Device device;
    private readonly bool isKernel;
    private DeviceBuffer? value, gradient, velocity;

    /// <summary>Where the values stand too; null where they were made or changed here.</summary>
    private StoredTensor? stored;

    private Parameter(Device device, string name, string layer, int[] fileShape, bool isKernel)
    {
        this.device = device;
        this.isKernel = isKernel;
        Name = name;
        Layer = layer;
        FileShape = fileShape;
        Length = fileShape.Aggregate(1L, (a, b) => a * b);
        value = device.Allocate(Length);
    }

    /// <summary>As in files, such as <c>features.0.weight</c>.</summary>
    public string Name { get; }

    /// <summary>Name of the layer that it belongs to.</summary>
    public string Layer { get; }

    /// <summary>Shape in files.</summary>
    public int[] FileShape { get; }

    public long Length { get; }

    /// <summary>Numbers that one output of its layer adds up, for a fitting random start; 0 where the start is zero or comes from data.</summary>
    public int FanIn => isKernel ? FileShape[1] * FileShape[2] * FileShape[3] : 0;

    /// <summary>Changes whenever the values do through <see cref="Write"/> or <see cref="Descend"/>: what was made of them must be made again.</summary>
    public long Version { get; private set; }

    /// <summary>In the kernels' layout; to be read. Where they were given back (<see cref="Release"/>) they are read from their file again.</summary>
    /// <exception cref="UserErrorException">That file is gone, or another by now.</exception>
    public ArrayView<float> Value => (value ?? Restore()).View;

    /// <summary><see cref="Value"/> where it stands in memory, else an empty view: for whoever has what was made of it.</summary>
    internal ArrayView<float> Kept => value is null ? default : value.View;

    /// <summary>Exists once a plan that trains it was made.</summary>
    public ArrayView<float> Gradient => (gradient ?? throw new InvalidOperationException($"{Name} is not trained.")).View;

    /// <inheritdoc cref="Gradient"/>
    public ArrayView<float> Velocity => (velocity ?? throw new InvalidOperationException($"{Name} is not trained.")).View;

    /// <summary>Whether it has a gradient and a velocity.</summary>
    public bool IsTrained => gradient is not null;

    /// <summary>A convolution's weight.</summary>
    public static Parameter Kernel(Device device, string name, string layer, int oc, int ic, int rows, int columns)
        => new(device, name, layer, [oc, ic, rows, columns], isKernel: true);

    /// <summary>Numbers that memory holds as files do.</summary>
    public static Parameter Plain(Device device, string name, string layer, params int[] shape) => new(device, name, layer, shape, isKernel: false);

    /// <summary>Makes gradient and velocity, zero, if there are none yet.</summary>
    internal void PrepareTraining()
    {
        value ??= Restore();
        gradient ??= device.Allocate(Length);
        velocity ??= device.Allocate(Length);
    }

    /// <summary>The values in the file's layout.</summary>
    public float[] Read() => ToFile(device.Download(Value));

    /// <summary>The gradient in the file's layout.</summary>
    public float[] ReadGradient() => ToFile(device.Download(Gradient));

    /// <summary>Takes values in the file's layout.</summary>
    public void Write(ReadOnlySpan<float> fileLayout)
    {
        if (fileLayout.Length != Length)
            throw new ArgumentException($"{Name} has {Length} numbers, not {fileLayout.Length}.");
        Version++;
        stored = null;
        value ??= device.Allocate(Length);
        if (!isKernel)
        {
            device.Upload(fileLayout, Value);
            return;
        }
        if (device.IsHostMemory)
        {
            device.Synchronize();
            ToMemory(0, fileLayout, HostMemory.Span(Value));
            return;
        }
        var memory = new float[Length];
        ToMemory(0, fileLayout, memory);
        device.Upload(memory, Value);
    }

    /// <summary>Takes values from a file, portion by portion.</summary>
    /// <exception cref="UserErrorException">The file cannot be read.</exception>
    internal void Load(StoredTensor tensor)
    {
        if (device.IsHostMemory)
        {
            Version++;
            value ??= device.Allocate(Length);
            device.Synchronize();
            Fill(tensor);
        }
        else
        {
            var file = new float[Length];
            tensor.Read((first, numbers) => numbers.CopyTo(file.AsSpan(first)));
            Write(file);
        }
        stored = tensor;
    }

    /// <summary>
    /// Gives the values' memory back where a file holds them too, nothing here changes them, and memory is the host's: for whoever made something of them that stands in their place.
    /// Whoever wants them again finds them in <see cref="Value"/>.
    /// </summary>
    internal void Release()
    {
        if (!device.IsHostMemory || IsTrained || value is null || stored?.IsThere != true)
            return;
        value.Dispose();
        value = null;
    }

    private DeviceBuffer Restore()
    {
        value = device.Allocate(Length);
        try
        {
            Fill(stored!);
            return value;
        }
        catch
        {
            value.Dispose();
            value = null;
            throw;
        }
    }

    private void Fill(StoredTensor tensor)
        => tensor.Read((first, numbers) =>
        {
            var memory = HostMemory.Span(value!.View);
            if (isKernel)
                ToMemory(first, numbers, memory);
            else
                numbers.CopyTo(memory[first..]);
        });

    /// <param name="first">Index in the file's layout of the first number.</param>
    private void ToMemory(int first, ReadOnlySpan<float> file, Span<float> memory)
    {
        int inner = FanIn, o = first / inner, i = first % inner;
        foreach (float number in file)
        {
            memory[MemoryIndex(i, o)] = number;
            if (++i == inner)
                (i, o) = (0, o + 1);
        }
    }

    /// <summary>One step of stochastic gradient descent with the gradient as it stands (<see cref="SgdUpdate"/>).</summary>
    /// <param name="scale">One number: what the gradient is multiplied by, or not above 0 for no step.</param>
    public void Descend(float learningRate, float momentum, float weightDecay, ArrayView<float> scale)
    {
        SgdUpdate.Run(device, new SgdShape(checked((int)Length), learningRate, momentum, weightDecay), Value, Gradient, Velocity, scale);
        Version++;
        stored = null;
    }

    private float[] ToFile(float[] memory)
    {
        if (!isKernel)
            return memory;
        var file = new float[Length];
        int inner = FanIn;
        for (int o = 0; o < FileShape[0]; o++)
            for (int i = 0; i < inner; i++)
                file[o * inner + i] = memory[MemoryIndex(i, o)];
        return file;
    }

    /// <summary>Where memory holds number <paramref name="inner"/> of [Ic/groups, R, S] of an output channel.</summary>
    private int MemoryIndex(int inner, int oc)
    {
        int taps = FileShape[2] * FileShape[3];
        return (inner % taps * FileShape[1] + inner / taps) * FileShape[0] + oc;
    }

    public void Dispose()
    {
        value?.Dispose();
        gradient?.Dispose();
        velocity?.Dispose();
    }

    public override string ToString() => $"{Name} [{string.Join(", ", FileShape)}]";
}
