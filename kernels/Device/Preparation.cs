using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What a variant makes of the inputs that seldom change, such as transformed weights, and its run with that at hand. Both must not depend on the number of images:
/// what was prepared for one batch serves every other.
/// </summary>
/// <param name="Length">Floats of what is prepared, a multiple of 16.</param>
/// <param name="Prepare">Fills it from the operation's buffers, of which only those that it is made of need to be there.</param>
/// <param name="Run">The operation, with what was prepared from the same weights.</param>
public sealed record Preparation<TProblem>(Func<Device, TProblem, long> Length, Preparation<TProblem>.Launch Prepare, Preparation<TProblem>.PreparedLaunch Run)
    where TProblem : struct
{
    /// <summary>The operation's buffer that what is prepared stands for, so that nobody need keep it: <see cref="Operation{TProblem}.RunPrepared"/> takes an empty view there. −1 for none.</summary>
    public int Replaced { get; init; } = -1;

    /// <param name="prepared">At least <see cref="Length"/> floats.</param>
    public delegate void Launch(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared);

    /// <param name="workspace">The variant's, less <see cref="Length"/>.</param>
    public delegate void PreparedLaunch(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared, ArrayView<float> workspace);

    /// <summary>Both after each other, what is prepared at the workspace's beginning.</summary>
    internal void RunWhole(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        long length = Length(device, problem);
        var prepared = workspace.SubView(0, length);
        Prepare(device, problem, buffers, prepared);
        Run(device, problem, buffers, prepared, workspace.Length > length ? workspace.SubView(length, workspace.Length - length) : default);
    }
}
