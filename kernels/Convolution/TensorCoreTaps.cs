namespace IlgpuNetVlad.Kernels;

/// <summary>The walk over k of a convolution: one tap after the other, and in it chunks of channels, four a step.</summary>
internal struct TensorCoreTaps
{
    public int R, S, Chunk;

    /// <summary>Steps of k.</summary>
    /// <param name="chunks">Chunks of a tap.</param>
    public static int Steps(in TensorCoreProblem p, int chunks) => p.Taps * ((chunks + 3) / 4);

    public void Next(int columns, int chunks)
    {
        Chunk += 4;
        if (Chunk < chunks)
            return;
        Chunk = 0;
        S++;
        if (S == columns)
        {
            S = 0;
            R++;
        }
    }
}
