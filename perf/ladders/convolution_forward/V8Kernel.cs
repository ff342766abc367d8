using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// The engine's own kernel (kernels/Convolution/HostWinograd.cs), as it stands: transforms that keep a column in registers, any number of channels and images, threads that stay awake between
/// layers, blocks such that all threads get as many, AVX2 and 128-bit bodies from the same source.
/// </summary>
internal sealed unsafe class V8Kernel : Rung
{
    private readonly Device device;
    private readonly Variant<ConvolutionShape> variant;
    private readonly DeviceBuffer x, w, b, y, prepared, workspace;

    /// <param name="x">The map that it is run on; the kernel takes a device's buffers and no others.</param>
    /// <param name="y">Its result.</param>
    public V8Kernel(Device device, ConvolutionShape shape, DeviceBuffer x, DeviceBuffer w, DeviceBuffer b, DeviceBuffer y)
        : base(shape)
    {
        this.device = device;
        (this.x, this.w, this.b, this.y) = (x, w, b, y);
        variant = Convolution.ForwardOperation.Choose(device, shape);
        prepared = device.Allocate(variant.Preparation!.Length(device, shape));
        workspace = device.Allocate(variant.Workspace(device, shape));
    }

    public override string Idea => $"the engine's {variant.Name}";

    public override void Prepare(float* weights, float* bias) => variant.Preparation!.Prepare(device, Shape, [x, w, b, y], prepared);

    public override void Run(float* map, float* result) => variant.Preparation!.Run(device, Shape, [x, w, b, y], prepared, workspace);

    public override void Dispose()
    {
        prepared.Dispose();
        workspace.Dispose();
    }
}
