using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>The baselines: pooling over the map, then L2 normalisation.</summary>
public abstract class GoldenGlobalPooling(bool max) : IGoldenOperation
{
    public string Op => max ? "global_max_l2" : "global_avg_l2";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int[] shape = file.Tensor("x").Shape;
        var pooling = new GlobalPoolingShape(shape[0], shape[2] * shape[3], shape[1]);
        var rows = new RowsShape(shape[0], shape[1]);
        float[] x = file.Map("x");
        return GoldenCase.EachKind(Op, (kind, device) =>
        {
            var pooled = GoldenCase.Run(max ? GlobalPooling.MaxForwardOperation : GlobalPooling.AverageForwardOperation, kind, device, pooling, x, [])[1];
            var y = GoldenCase.Run(L2Normalization.ForwardOperation, kind, device, rows, pooled, [])[1];
            GoldenCase.AssertClose(y, file.Values("y"), GoldenCase.ForwardTolerance, "y");
            var dPooled = GoldenCase.Run(L2Normalization.BackwardOperation, kind, device, rows, pooled, y, file.Values("dy"), [])[3];
            var dx = max
                ? GoldenCase.Run(GlobalPooling.MaxBackwardOperation, kind, device, pooling, x, dPooled, [])[2]
                : GoldenCase.Run(GlobalPooling.AverageBackwardOperation, kind, device, pooling, dPooled, [])[1];
            GoldenCase.AssertClose(dx, file.Map("dx"), GoldenCase.GradientTolerance, "dx");
        });
    }
}

public sealed class GoldenGlobalMax() : GoldenGlobalPooling(max: true);

public sealed class GoldenGlobalAverage() : GoldenGlobalPooling(max: false);
