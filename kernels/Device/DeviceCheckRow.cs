namespace IlgpuNetVlad.Kernels;

/// <summary>One comparison of <see cref="DeviceCheck"/>.</summary>
/// <param name="Error">Largest ‖a − b‖₂/‖b‖₂ of the written buffers; infinite where an index or NaN differs, or where the kernel failed.</param>
/// <param name="Message">What was said where it failed, in one line; null where it ran.</param>
public sealed record DeviceCheckRow(string Operation, string Variant, string Problem, double Error, double Tolerance, string? Message = null)
{
    public bool Ok => Error <= Tolerance;
}
