using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

public sealed class GoldenNetVlad : IGoldenOperation
{
    public string Op => "netvlad";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        file.Implied("K", "D", "bias");
        string floor = file.Text("floor", "clamp");
        Assert.That(floor, Is.AnyOf("clamp", "soft"));
        int[] x = file.Tensor("x").Shape;
        var shape = new NetVladShape(x[0], x[2] * x[3], x[1], file.Tensor("c").Shape[0], file.Has("b") ? 1 : 0, floor == "soft" ? 1 : 0);
        var tensors = new Dictionary<string, float[]>
        {
            ["x"] = file.Map("x"), ["w"] = file.Values("w"), ["b"] = file.Values("b"), ["c"] = file.Values("c"), ["y"] = file.Values("y"),
            ["dy"] = file.Values("dy"), ["dx"] = file.Map("dx"), ["dw"] = file.Values("dw"), ["db"] = file.Values("db"), ["dc"] = file.Values("dc"),
        };
        return GoldenCase.Each(NetVlad.ForwardOperation, shape, tensors).Concat(GoldenCase.Each(NetVlad.BackwardOperation, shape, tensors));
    }
}
