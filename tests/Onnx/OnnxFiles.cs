using System.Runtime.InteropServices;
using Google.Protobuf;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Tests.Data;
using IlgpuNetVlad.Tests.Models;

namespace IlgpuNetVlad.Tests.Onnx;

/// <summary>
/// Exported files, read back field by field: every value has a source, tensors have the numbers that their shapes say, and weights are the network's. That another
/// runtime computes the same descriptors is measured by <c>perf peers</c>.
/// </summary>
[TestFixture]
public sealed class OnnxFiles
{
    [Test]
    public void Graph_IsClosed_AndHoldsTheNetwork([Values] PoolingKind pooling, [Values] bool softFloor, [Values] bool pca)
    {
        using var network = TinyTrunk.Network(Devices.Cpu, pooling, softFloor: softFloor);
        if (pca)
            network.Pca = new Projection(network.PooledLength, 3, TinyTrunk.Numbers(new Random(1), 3 * network.PooledLength), [1, 2, 3], [3, 2, 1]);
        using var folder = new TemporaryFolder();
        OnnxExport.Write(network, folder["network.onnx"], TinyTrunk.Height, TinyTrunk.Width);
        var model = Fields(File.ReadAllBytes(folder["network.onnx"]));
        var graph = Fields(model[7].Single());
        var known = graph[5].Select(c => Fields(c)).ToDictionary(c => Text(c[8].Single()), c => c);
        foreach (var constant in known.Values)
        {
            long numbers = constant.GetValueOrDefault(1, []).Aggregate(1L, (a, b) => a * Number(b)), size = Number(constant[2].Single()) == 1 ? sizeof(float) : sizeof(long);
            Assert.That(constant[9].Single(), Has.Length.EqualTo(numbers * size));
        }
        var values = new HashSet<string>(known.Keys) { "image" };
        var operators = new List<string>();
        foreach (var node in graph[1].Select(n => Fields(n)))
        {
            Assert.That(node[1].Select(Text), Is.SubsetOf(values), "computed before it is read");
            Assert.That(values.Add(Text(node[2].Single())), "one source a value");
            operators.Add(Text(node[4].Single()));
        }
        Assert.That(Text(Fields(graph[12].Single())[1].Single()), Is.EqualTo("descriptor"));
        Assert.That(values, Does.Contain("descriptor"));
        Assert.That(operators.Count(o => o == "Conv"), Is.EqualTo(6 + (pooling.HasClusters() ? 1 : 0)), "each of the trunk's, and NetVLAD's logits");
        Assert.That(operators.Contains("Gemm"), Is.EqualTo(pca));
        Assert.That(operators.Contains("Softmax"), Is.EqualTo(pooling.HasClusters()));
        foreach (var p in network.Parameters)
            Assert.That(known.Values, Has.Some.Matches<Dictionary<int, List<byte[]>>>(c => MemoryMarshal.Cast<byte, float>(c[9].Single()).SequenceEqual(p.Read())), p.Name);
    }

    [Test]
    public void WithoutClusters_IsOneSentence()
    {
        using var network = Network.Create(Devices.Cpu, NetworkSettings.For("city") with { Pooling = PoolingKind.NetVlad }, 1);
        using var folder = new TemporaryFolder();
        Assert.That(() => OnnxExport.Write(network, folder["network.onnx"]), Throws.TypeOf<UserErrorException>().With.Message.Contains("clusters"));
        Assert.That(File.Exists(folder["network.onnx"]), Is.False);
    }

    /// <summary>A message's fields as bytes; numbers as their eight.</summary>
    private static Dictionary<int, List<byte[]>> Fields(byte[] message)
    {
        var fields = new Dictionary<int, List<byte[]>>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and not 0)
        {
            byte[] value = WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => BitConverter.GetBytes(input.ReadInt64()),
                WireFormat.WireType.Fixed32 => BitConverter.GetBytes(input.ReadFloat()),
                _ => input.ReadBytes().ToByteArray(),
            };
            int field = WireFormat.GetTagFieldNumber(tag);
            if (!fields.TryGetValue(field, out var list))
                fields[field] = list = [];
            list.Add(value);
        }
        return fields;
    }

    private static string Text(byte[] value) => System.Text.Encoding.UTF8.GetString(value);

    private static long Number(byte[] value) => BitConverter.ToInt64(value);
}
