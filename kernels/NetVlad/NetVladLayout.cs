namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What the CUDA kernels of a forward pass leave in the workspace: assignments [B,N,K] | 1/‖x‖ [B,N] | mass Σa [B,K] | V then V̂ [B,K,D] | ‖V‖² [B,K] | ‖vec V̂‖² [B].
/// </summary>
internal static class NetVladLayout
{
    public static int InverseAt(NetVladShape s) => s.B * s.N * s.K;

    public static int MassAt(NetVladShape s) => InverseAt(s) + s.B * s.N;

    public static int ResidualAt(NetVladShape s) => MassAt(s) + s.B * s.K;

    public static int SquareAt(NetVladShape s) => ResidualAt(s) + s.YLength;

    public static int FinalAt(NetVladShape s) => SquareAt(s) + s.B * s.K;

    public static long Length(NetVladShape s) => FinalAt(s) + s.B;
}
