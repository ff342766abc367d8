using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Small programs for the executor: a body with one parameter <c>p</c>, the address of a buffer.</summary>
internal static class PtxProgram
{
    /// <summary>Line on which a body begins.</summary>
    public const int FirstLine = 6;

    public static PtxFunction Kernel(string body)
        => PtxModule.Parse($".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .b64 p)\n{{\n{body}\n}}\n").Kernels[0];

    /// <summary>Runs a body on a buffer of integers.</summary>
    /// <returns>What the buffer holds then.</returns>
    public static int[] Run(string body, int[] buffer, int threads = 32, int blocks = 1)
    {
        var memory = new GlobalMemory();
        ulong address = memory.Allocate<int>("p", buffer);
        new PtxExecutor(Kernel(body)).Run(new PtxLaunch((blocks, 1, 1), (threads, 1, 1)) { StepLimit = 100_000 }, BitConverter.GetBytes(address), memory);
        return memory.Values<int>(address, buffer.Length).ToArray();
    }

    /// <summary>What a body does wrong.</summary>
    public static IReadOnlyList<PtxFault> Faults(string body, int length = 256, int threads = 32, int blocks = 1)
    {
        try
        {
            Run(body, new int[length], threads, blocks);
            return [];
        }
        catch (PtxFaultException e)
        {
            return e.Faults;
        }
    }
}
