namespace IlgpuNetVlad.PtxDriver;

/// <summary>A call that the driver refuses, with words for <c>cuGetErrorString</c>.</summary>
internal sealed class DriverException(CudaResult result, string message) : Exception(message)
{
    public CudaResult Result { get; } = result;
}
