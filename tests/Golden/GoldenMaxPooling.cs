using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

public sealed class GoldenMaxPooling : IGoldenOperation
{
    public string Op => "max_pool2d";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int[] x = file.Tensor("x").Shape;
        var shape = new PoolingShape(x[0], x[2], x[3], x[1], file.Integer("k"), file.Integer("s"), file.Flag("ceil"));
        var tensors = new Dictionary<string, float[]> { ["x"] = file.Map("x"), ["y"] = file.Map("y"), ["dy"] = file.Map("dy"), ["dx"] = file.Map("dx") };
        return GoldenCase.Each(MaxPooling.ForwardOperation, shape, tensors).Concat(GoldenCase.Each(MaxPooling.BackwardOperation, shape, tensors));
    }
}
