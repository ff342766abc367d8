using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

public sealed class GoldenConvolution : IGoldenOperation
{
    public string Op => "conv2d";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        file.Implied("b", "h", "w", "ci", "co", "k");
        int[] x = file.Tensor("x").Shape, w = file.Tensor("w").Shape;
        var shape = new ConvolutionShape(x[0], x[2], x[3], x[1], w[0], w[2], w[3], file.Integer("s"), file.Integer("p"), file.Integer("g"), file.Flag("relu"), file.Has("b") ? 1 : 0);
        var tensors = new Dictionary<string, float[]>
        {
            ["x"] = file.Map("x"), ["w"] = file.Filter("w"), ["b"] = file.Values("b"), ["y"] = file.Map("y"),
            ["dy"] = file.Map("dy"), ["dx"] = file.Map("dx"), ["dw"] = file.Filter("dw"), ["db"] = file.Values("db"),
        };
        return GoldenCase.Each(Convolution.ForwardOperation, shape, tensors)
            .Concat(GoldenCase.Each(Convolution.BackwardDataOperation, shape, tensors))
            .Concat(GoldenCase.Each(Convolution.BackwardWeightsOperation, shape, tensors));
    }
}
