using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>Sharpness and first weights of both versions of NetVLAD from descriptors and centres.</summary>
public sealed class GoldenAlpha : IGoldenOperation
{
    public string Op => "netvlad_alpha";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        var x = new DescriptorMatrix(file.Tensor("x").Shape[0], file.Tensor("x").Shape[1], file.Values("x"));
        float[] c = file.Values("c");
        int clusters = file.Tensor("c").Shape[0];
        foreach (bool second in (bool[])[false, true])
            yield return new($"alpha_v{(second ? 2 : 1)}", () =>
            {
                float alpha = ClusterInitialisation.Alpha(x, c, clusters, second ? PoolingKind.NetVladV2 : PoolingKind.NetVlad);
                string version = second ? "v2" : "v1";
                GoldenCase.AssertClose([alpha], file.Values($"alpha_{version}"), GoldenCase.ForwardTolerance, "alpha");
                using var layer = new NetVladLayer(Devices.Cpu, clusters, x.Dimension, hasBias: second, softFloor: false);
                layer.Set(c, alpha);
                GoldenCase.AssertClose(layer.Weight.Read(), file.Values($"w_{version}"), GoldenCase.ForwardTolerance, "w");
                GoldenCase.AssertClose(layer.Centroids.Read(), c, 0, "c");
                if (second)
                    GoldenCase.AssertClose(layer.Bias!.Read(), file.Values("b_v2"), GoldenCase.ForwardTolerance, "b");
            });
    }
}
