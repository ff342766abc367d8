using System.Globalization;
using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>One file of expected values: its tensors in our layouts, its settings by name. Settings that nobody asks for are found out.</summary>
public sealed class GoldenFile
{
    private readonly SafetensorsFile file;
    private readonly HashSet<string> asked = ["op", "note"];

    public GoldenFile(string path)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        file = SafetensorsFile.Read(path);
        Op = Text("op");
    }

    public string Name { get; }

    /// <summary>What computed the values, such as <c>conv2d</c>.</summary>
    public string Op { get; }

    /// <summary>Settings of the file that were never read: the test would not do what they say.</summary>
    public IEnumerable<string> Unread => file.Metadata.Keys.Where(k => !asked.Contains(k));

    public bool Has(string tensor) => file.Find(tensor) is not null;

    public SafetensorsTensor Tensor(string name) => file.Find(name) ?? throw new AssertionException($"{Name} holds no tensor {name}");

    /// <summary>A tensor's numbers; none where there is no such tensor.</summary>
    public float[] Values(string name) => file.Find(name)?.Values ?? [];

    /// <summary>[B,C,H,W] as [B,H,W,C].</summary>
    public float[] Map(string name)
    {
        var shape = Tensor(name).Shape;
        return Permute(Tensor(name), (b, c, h, w) => ((b * shape[2] + h) * shape[3] + w) * shape[1] + c);
    }

    /// <summary>[Oc,Ic,R,S] as [R,S,Ic,Oc].</summary>
    public float[] Filter(string name)
    {
        var shape = Tensor(name).Shape;
        return Permute(Tensor(name), (o, i, r, s) => ((r * shape[3] + s) * shape[1] + i) * shape[0] + o);
    }

    /// <summary>Says that these settings repeat what the tensors' shapes tell.</summary>
    public void Implied(params string[] settings) => asked.UnionWith(settings);

    public string Text(string setting, string? otherwise = null)
    {
        asked.Add(setting);
        return file.Metadata.TryGetValue(setting, out string? value) ? value : otherwise ?? throw new AssertionException($"{Name} has no setting {setting}");
    }

    public int Integer(string setting) => int.Parse(Text(setting), CultureInfo.InvariantCulture);

    public float Number(string setting) => float.Parse(Text(setting), CultureInfo.InvariantCulture);

    /// <summary>1 for true; 0 for false and where the file does not say.</summary>
    public int Flag(string setting) => bool.Parse(Text(setting, "false")) ? 1 : 0;

    private static float[] Permute(SafetensorsTensor tensor, Func<int, int, int, int, int> place)
    {
        var shape = tensor.Shape;
        var result = new float[tensor.Values.Length];
        int from = 0;
        for (int a = 0; a < shape[0]; a++)
            for (int b = 0; b < shape[1]; b++)
                for (int c = 0; c < shape[2]; c++)
                    for (int d = 0; d < shape[3]; d++)
                        result[place(a, b, c, d)] = tensor.Values[from++];
        return result;
    }
}
