namespace IlgpuNetVlad.Kernels;

/// <summary>Told of each operation that ran on a device, for profiles. While there is one, the device is waited for after each operation.</summary>
public interface IOperationObserver
{
    /// <param name="problem">The operation's problem, such as a <see cref="ConvolutionShape"/>.</param>
    /// <param name="preparation">It made of the weights what later runs take (<see cref="Preparation{TProblem}"/>), and no result.</param>
    void Ran(Operation operation, Variant variant, object problem, bool preparation, TimeSpan time);
}
