namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Packs weights into panels [group][panel][k][width], k = (r, s, c), padded columns zero: as they are for the forward pass; turned by 180° with
/// input and output channels swapped for the backward pass. One tile packs one tap of one group.
/// </summary>
internal readonly unsafe struct HostWeightPacking(float* weights, float* packed, ConvolutionShape s, bool backward) : IHostTask
{
    public void Run(int tile, int worker)
    {
        int group = tile / (s.R * s.S), tap = tile % (s.R * s.S);
        int rows = backward ? s.GroupOc : s.GroupIc, columns = backward ? s.GroupIc : s.GroupOc;
        int source = backward ? s.R * s.S - 1 - tap : tap;
        long depth = (long)s.R * s.S * rows;
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
