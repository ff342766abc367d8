using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

public sealed class GoldenLocalResponse : IGoldenOperation
{
    public string Op => "lrn";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int[] x = file.Tensor("x").Shape;
        var shape = new LocalResponseShape(x[0] * x[2] * x[3], x[1], file.Integer("size"), file.Number("alpha_over_n"), file.Number("beta"), file.Number("k"));
        var tensors = new Dictionary<string, float[]> { ["x"] = file.Map("x"), ["y"] = file.Map("y"), ["dy"] = file.Map("dy"), ["dx"] = file.Map("dx") };
        return GoldenCase.Each(LocalResponse.ForwardOperation, shape, tensors).Concat(GoldenCase.Each(LocalResponse.BackwardOperation, shape, tensors));
    }
}
