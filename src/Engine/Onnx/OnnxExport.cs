using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Onnx;

/// <summary>
/// Writes a network as an ONNX file, for runtimes that know nothing of this engine:
/// <code>
/// image [N, 3, H, W], red, green, blue in 0…255   →   descriptor [N, d], of unit length
/// </code>
/// Preprocessing, pooling, normalisations and the PCA, where the network has one, are part of it; resizing is not.
/// </summary>
public static class OnnxExport
{
    /// <param name="path">Written aside, then renamed.</param>
    /// <param name="height">Of the images; 0 leaves both sides open.</param>
    /// <exception cref="UserErrorException">NetVLAD has no clusters yet, the images are too small, or the file cannot be written.</exception>
    public static void Write(Network network, string path, int height = 0, int width = 0)
    {
        if (!network.ClustersInitialised)
            throw new UserErrorException("These weights have no clusters yet, so there is no descriptor to export: train the network first.");
        if (height > 0)
            network.Layers.Aggregate(new Layers.MapShape(height, width, 3), (shape, layer) => layer.Output(shape));
        var graph = new OnnxGraph();
        string x = "image";
        var preprocessing = network.Settings.Preprocessing;
        x = graph.Add("Mul", [graph.Add("Sub", [x, graph.Constant(preprocessing.Mean, 1, 3, 1, 1)]), graph.Constant(preprocessing.Scale, 1, 3, 1, 1)]);
        foreach (var layer in network.Layers)
            x = layer.Export(graph, x);
        if (network.Pca is { } pca)
        {
            x = graph.Add(
                "Gemm", [x, graph.Constant(pca.Weight, pca.OutputLength, pca.InputLength), graph.Constant(pca.Bias, pca.OutputLength)], ("transB", 1L));
            x = graph.Normalised(x, 1, softFloor: false, Kernels.L2Normalization.Floor);
        }
        var bytes = graph.Model(
            "netvlad", ("image", [("N", 0), ("C", 3), ("H", height), ("W", width)]), x, ("descriptor", [("N", 0), ("D", network.DescriptorLength)]));
        AtomicFile.Write(path, bytes);
    }
}
