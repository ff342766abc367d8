using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the products Σ_i weight_ik x̂_i of an image stand: as many slices of the descriptors, and parts of a weight, to be added in order.</summary>
/// <param name="Slices">Of an image.</param>
/// <param name="Parts">Of a weight, one behind the other.</param>
/// <param name="SliceLength">Numbers of a slice, all parts.</param>
/// <param name="PartStep">From a number to that of the next part; likewise to the next channel and the next cluster.</param>
internal readonly record struct NetVladMoments(int Slices, int Parts, int SliceLength, int PartStep, int ChannelStep, int ClusterStep)
{
    public long Length(in NetVladShape s) => (long)s.B * Slices * SliceLength;

    public static float Of(ArrayView<float> moments, NetVladMoments m, int image, int k, int d)
    {
        float sum = 0;
        for (int slice = 0; slice < m.Slices; slice++)
            for (int part = 0; part < m.Parts; part++)
                sum += moments[(image * m.Slices + slice) * m.SliceLength + part * m.PartStep + d * m.ChannelStep + k * m.ClusterStep];
        return sum;
    }
}
