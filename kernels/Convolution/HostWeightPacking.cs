using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Packs the weights of a phase into panels [group][panel][k][width], k = (r, s, c), padded columns zero: as they are for the forward pass;
/// turned by 180° with input and output channels swapped for the backward pass. One tile packs one tap of one group.
/// </summary>
internal readonly unsafe struct HostWeightPacking(float* weights, float* packed, ConvolutionShape s, HostPhase phase, bool backward) : IHostTask
{
    public int Tiles => s.Groups * phase.TapRows * phase.TapColumns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        int taps = phase.TapRows * phase.TapColumns, group = tile / taps, tap = tile % taps;
        int rows = backward ? s.GroupOc : s.GroupIc, columns = backward ? s.GroupIc : s.GroupOc;
        int turned = taps - 1 - tap;
        int source = !backward ? tap
            : (phase.FirstTapRow + turned / phase.TapColumns * phase.Step) * s.S + phase.FirstTapColumn + turned % phase.TapColumns * phase.Step;
        long depth = (long)taps * rows;
        float* panel = packed + group * depth * HostPanels.Padded(columns);
        for (int start = 0, width; start < columns; start += width)
        {
            width = HostPanels.Width(columns - start);
            int used = Math.Min(width, columns - start);
            for (int k = 0; k < rows; k++)
            {
                var to = new Span<float>(panel + ((long)tap * rows + k) * width, width);
                if (backward)
                {
                    float* from = weights + ((long)source * s.GroupIc + start) * s.Oc + group * s.GroupOc + k;
                    for (int j = 0; j < used; j++)
                        to[j] = from[(long)j * s.Oc];
                }
                else
                    new ReadOnlySpan<float>(weights + ((long)source * s.GroupIc + k) * s.Oc + group * s.GroupOc + start, used).CopyTo(to);
                to[used..].Clear();
            }
            panel += depth * width;
        }
    }
}
