using System.Globalization;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// All of a run's state between two steps, in one safetensors file: trained parameters and their velocities, remembered negatives, counters and generator, and
/// inside a refresh interval the descriptors that its tuples were mined by. Without those the next thing is a refresh, which makes them anew.
/// </summary>
internal static class Checkpoint
{
    private const string StateKey = "training_state", Descriptors = "cache.descriptors", Remembered = "mining.remembered";

    /// <param name="remembered">As before the present interval was mined.</param>
    /// <param name="descriptors">Null where the next thing is a refresh.</param>
    public static void Save(string path, Device device, IReadOnlyList<Parameter> trained, TrainingState state, IReadOnlyList<int[]> remembered, int most, DescriptorMatrix? descriptors)
    {
        var tensors = new List<SafetensorsTensor>();
        foreach (var p in trained)
        {
            tensors.Add(new("parameter." + p.Name, p.FileShape, p.Read()));
            tensors.Add(new("velocity." + p.Name, [(int)p.Length], device.Download(p.Velocity)));
        }
        var flat = new float[remembered.Count * most];
        Array.Fill(flat, -1);
        for (int a = 0; a < remembered.Count; a++)
            for (int i = 0; i < remembered[a].Length; i++)
                flat[a * most + i] = remembered[a][i];
        tensors.Add(new(Remembered, [remembered.Count, most], flat));
        if (descriptors is not null)
            tensors.Add(new(Descriptors, [descriptors.Rows, descriptors.Dimension], descriptors.Values));
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { [StateKey] = RunFolder.ToJson(state) });
    }

    /// <returns>The counters; whether <paramref name="descriptors"/> were filled.</returns>
    /// <exception cref="UserErrorException">The file is damaged, or of another network or dataset.</exception>
    public static (TrainingState State, bool HasDescriptors) Load(string path, Device device, IReadOnlyList<Parameter> trained, TupleMiner miner, int most, DescriptorMatrix descriptors)
    {
        var file = SafetensorsFile.Read(path);
        float[] Tensor(string name, long length)
            => file.Tensors.FirstOrDefault(t => t.Name == name) is { } tensor && tensor.Values.LongLength == length
                ? tensor.Values
                : throw new UserErrorException($"{path} does not fit this network and dataset ({name} differs): resume with the settings that the run began with.");

        foreach (var p in trained)
        {
            p.Write(Tensor("parameter." + p.Name, p.Length));
            device.Upload(Tensor("velocity." + p.Name, p.Length), p.Velocity);
        }
        int anchors = miner.Remembered.Count;
        var flat = Tensor(Remembered, (long)anchors * most);
        miner.Restore([.. Enumerable.Range(0, anchors).Select(a => flat.AsSpan(a * most, most).ToArray().Where(x => x >= 0).Select(x => (int)x).ToArray())]);
        bool hasDescriptors = file.Tensors.Any(t => t.Name == Descriptors);
        if (hasDescriptors)
            Tensor(Descriptors, (long)descriptors.Rows * descriptors.Dimension).CopyTo(descriptors.Values, 0);
        return (RunFolder.FromJson<TrainingState>(file.Metadata[StateKey]), hasDescriptors);
    }

    /// <summary>Puts the trained parameters of a complete network file into a network of the same layers.</summary>
    public static void LoadBest(string path, IReadOnlyList<Parameter> trained)
    {
        var file = SafetensorsFile.Read(path);
        foreach (var p in trained)
            p.Write((file.Tensors.FirstOrDefault(t => t.Name == p.Name) ?? throw new UserErrorException($"{path} lacks {p.Name}: it belongs to another network; train again.")).Values);
    }
}
