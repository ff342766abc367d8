namespace IlgpuNetVlad.Kernels;

/// <summary>A comparison that <see cref="DeviceCheck"/> is to make.</summary>
public sealed record DeviceCheckCase(Operation Operation, Variant Variant, object Problem)
{
    /// <summary>Host and the device each have the tolerance against fp64.</summary>
    private double Tolerance => 2 * Operation.ToleranceOf(Variant, Problem);

    /// <summary>Its row where it came to an end.</summary>
    public DeviceCheckRow Row(double error) => new(Operation.Name, Variant.Name, Problem.ToString()!, error, Tolerance);

    /// <summary>Its row where it failed.</summary>
    public DeviceCheckRow Failed(string message) => Row(double.PositiveInfinity) with { Message = message.ReplaceLineEndings(" ") };
}
