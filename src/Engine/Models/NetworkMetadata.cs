using System.Globalization;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>A network's settings as the strings of its file.</summary>
internal static class NetworkMetadata
{
    private const string Backbone = "backbone", Pooling = "pooling", Clusters = "clusters", KeepRelu = "keep_relu", Floor = "floor", Rounding = "pool_rounding",
        ResponseOffset = "response_offset", Mean = "mean", Scale = "scale", Resize = "resize";

    /// <summary>Whether a file's strings are settings at all.</summary>
    public static bool IsPresent(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Pooling);

    public static Dictionary<string, string> Of(NetworkSettings s) => new()
    {
        [Backbone] = s.Backbone,
        [Pooling] = s.Pooling.Name(),
        [Clusters] = s.Clusters.ToString(CultureInfo.InvariantCulture),
        [KeepRelu] = s.KeepRelu ? "true" : "false",
        [Floor] = s.SoftFloor ? "soft" : "clamp",
        [Rounding] = s.RoundsUp ? "ceil" : "floor",
        [ResponseOffset] = s.ResponseOffset.ToString(CultureInfo.InvariantCulture),
        [Mean] = Join(s.Preprocessing.Mean),
        [Scale] = Join(s.Preprocessing.Scale),
        [Resize] = s.Resize.ToString(),
    };

    /// <exception cref="UserErrorException">A setting is missing or cannot be read; the sentence names it and the file.</exception>
    public static NetworkSettings Parse(IReadOnlyDictionary<string, string> metadata, string path)
    {
        return new()
        {
            Backbone = Text(Backbone),
            Pooling = Read(Pooling, PoolingNames.Parse),
            Clusters = Read(Clusters, text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)),
            KeepRelu = OneOf(KeepRelu, "false", "true"),
            SoftFloor = OneOf(Floor, "clamp", "soft"),
            CeilPooling = OneOf(Rounding, "floor", "ceil"),
            ResponseOffset = Read(ResponseOffset, Number),
            Preprocessing = new(Read(Mean, Numbers), Read(Scale, Numbers)),
            Resize = Read(Resize, ResizePolicy.Parse),
        };

        string Text(string key) => metadata.TryGetValue(key, out string? text)
            ? text
            : throw new UserErrorException($"{path} lacks the setting {key} in its metadata: fetch or write it again.");

        bool OneOf(string key, string no, string yes) => Read(key, text => text == yes || (text == no ? false : throw new FormatException()));

        T Read<T>(string key, Func<string, T> parse)
        {
            string text = Text(key);
            try
            {
                return parse(text);
            }
            catch (Exception e) when (e is FormatException or OverflowException or UserErrorException)
            {
                throw new UserErrorException($"{path} has the setting {key} = '{text}' in its metadata, which means nothing here: fetch or write it again.", e);
            }
        }
    }

    private static string Join(float[] numbers) => string.Join(",", numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    private static float[] Numbers(string text)
    {
        float[] numbers = [.. text.Split(',').Select(Number)];
        return numbers.Length == 3 ? numbers : throw new FormatException();
    }

    private static float Number(string text)
    {
        float number = float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return float.IsFinite(number) ? number : throw new FormatException();
    }
}
