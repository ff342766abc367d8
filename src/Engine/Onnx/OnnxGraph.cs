using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Engine.Onnx;

/// <summary>
/// A graph of ONNX operators (opset 13) under construction: what layers add themselves to. A value is known by its name; every operator here has one result.
/// </summary>
public sealed class OnnxGraph
{
    private const int Opset = 13, IrVersion = 8, Float = 1, Int64 = 7;

    private readonly List<OnnxMessage> nodes = [], constants = [];
    private int names;

    /// <summary>Adds an operator.</summary>
    /// <param name="type">As ONNX names it, such as Conv.</param>
    /// <param name="attributes">Of type long, long[] or float.</param>
    /// <returns>The name of its result.</returns>
    public string Add(string type, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        string result = $"{type}_{++names}";
        var node = new OnnxMessage();
        foreach (string input in inputs)
            node.Text(1, input);
        node.Text(2, result).Text(3, result).Text(4, type);
        foreach (var (name, value) in attributes)
            node.Message(5, Attribute(name, value));
        nodes.Add(node);
        return result;
    }

    /// <summary>Adds numbers as a tensor.</summary>
    public string Constant(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) => Constant(Float, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Adds whole numbers as a list, for shapes and axes.</summary>
    public string Integers(params ReadOnlySpan<long> values) => Constant(Int64, MemoryMarshal.AsBytes(values), [values.Length]);

    /// <summary>x / ‖x‖ along an axis; the norm is max(‖x‖, floor), or √(‖x‖² + floor).</summary>
    public string Normalised(string x, long axis, bool softFloor, float floor)
    {
        string norm = softFloor
            ? Add("Sqrt", [Add("Add", [Add("ReduceSumSquare", [x], ("axes", new[] { axis }), ("keepdims", 1L)), Constant([floor])])])
            : Add("Max", [Add("ReduceL2", [x], ("axes", new[] { axis }), ("keepdims", 1L)), Constant([floor])]);
        return Add("Div", [x, norm]);
    }

    /// <summary>The file's bytes.</summary>
    /// <param name="input">Name and shape; a length of 0 is open, and named by its letter.</param>
    /// <param name="output">Name of what <paramref name="result"/> is called outside, and its shape.</param>
    internal byte[] Model(string graphName, (string Name, (string Letter, long Length)[] Shape) input, string result, (string Name, (string Letter, long Length)[] Shape) output)
    {
        var graph = new OnnxMessage();
        foreach (var node in nodes)
            graph.Message(1, node);
        graph.Message(1, new OnnxMessage().Text(1, result).Text(2, output.Name).Text(3, output.Name).Text(4, "Identity")).Text(2, graphName);
        foreach (var constant in constants)
            graph.Message(5, constant);
        graph.Message(11, ValueInfo(input.Name, input.Shape)).Message(12, ValueInfo(output.Name, output.Shape));
        return new OnnxMessage().Number(1, IrVersion).Text(2, "IlgpuNetVlad").Message(7, graph).Message(8, new OnnxMessage().Text(1, "").Number(2, Opset)).ToArray();
    }

    private string Constant(int type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape)
    {
        string name = $"constant_{++names}";
        var tensor = new OnnxMessage();
        foreach (long length in shape)
            tensor.Number(1, length);
        constants.Add(tensor.Number(2, type).Text(8, name).Bytes(9, bytes));
        return name;
    }

    private static OnnxMessage Attribute(string name, object value)
    {
        // The last number says of which type it is: FLOAT 1, INT 2, INTS 7.
        var attribute = new OnnxMessage().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Number(2, number).Number(20, 1);
            case long number:
                return attribute.Number(3, number).Number(20, 2);
            default:
                foreach (long number in (long[])value)
                    attribute.Number(8, number);
                return attribute.Number(20, 7);
        }
    }

    private static OnnxMessage ValueInfo(string name, (string Letter, long Length)[] shape)
    {
        var dimensions = new OnnxMessage();
        foreach (var (letter, length) in shape)
            dimensions.Message(1, length > 0 ? new OnnxMessage().Number(1, length) : new OnnxMessage().Text(2, letter));
        return new OnnxMessage().Text(1, name).Message(2, new OnnxMessage().Message(1, new OnnxMessage().Number(1, Float).Message(2, dimensions)));
    }
}
