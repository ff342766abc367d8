using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>Runs one variant once on a problem with made-up values.</summary>
internal static class EmittedRun
{
    private const int Seed = 1;

    public static void Of(Operation operation, Variant variant, Device device, object problem)
    {
        var buffers = operation.InputsFor(problem, Seed).Select(values => device.Allocate(values)).ToArray();
        using var workspace = device.Allocate(operation.WorkspaceOf(variant, device, problem));
        operation.RunWith(variant, device, problem, [.. buffers.Select(b => b.View)], workspace.View);
        foreach (var buffer in buffers)
            buffer.Dispose();
    }
}
