using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

public sealed class GoldenNearest : IGoldenOperation
{
    public string Op => "nearest";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int[] queries = file.Tensor("q").Shape, database = file.Tensor("db").Shape;
        return GoldenCase.Each(NearestNeighbours.Operation, new(queries[0], database[0], queries[1], file.Integer("k")), new Dictionary<string, float[]>
        {
            ["queries"] = file.Values("q"),
            ["database"] = file.Values("db"),
            ["distance2"] = file.Values("distance2"),
            ["index"] = [.. file.Values("index").Select(i => BitConverter.Int32BitsToSingle((int)i))],
        });
    }
}
