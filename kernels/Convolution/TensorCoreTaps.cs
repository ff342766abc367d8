namespace IlgpuNetVlad.Kernels;

/// <summary>The walk over k of a convolution: one tap after the other, and in it chunks of channels, several a step.</summary>
internal struct TensorCoreTaps
{
    public int R, S, Chunk;

    /// <summary>Steps of k.</summary>
    /// <param name="chunks">Chunks of a tap.</param>
    /// <param name="step">Chunks of a step.</param>
    public static int Steps(in TensorCoreProblem p, int chunks, int step = 4) => p.Taps * ((chunks + (step - 1)) / step);

    /// <inheritdoc cref="Steps"/>
    public void Next(int columns, int chunks, int step = 4)
    {
        Chunk += step;
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
