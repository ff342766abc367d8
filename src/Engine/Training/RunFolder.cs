using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// The folder of one training run: <c>settings.json</c>, <c>log.txt</c>, <c>metrics.jsonl</c> (a line a step and an epoch), TensorBoard events,
/// <c>start.safetensors</c> (the network as initialised), <c>best.safetensors</c> (its best epoch), <c>last.checkpoint</c> (all that a run needs to go on),
/// <c>training.png</c> and <c>recall.png</c>, and what mining chose (<c>mined-first.png</c>, <c>mined-last.png</c>). But for the events, nothing tells the time of day: two runs of one seed write the same bytes, and a resumed run the
/// same as one that was never interrupted.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private static readonly JsonSerializerOptions Indented = new(Json) { WriteIndented = true };

    private FileStream? log, metrics;
    private TensorBoardWriter? events;

    private RunFolder(string path, bool resuming)
    {
        Root = Path.GetFullPath(path);
        IsResuming = resuming;
    }

    /// <summary>A new run.</summary>
    /// <exception cref="UserErrorException">The folder already holds one, or cannot be made.</exception>
    public static RunFolder Create(string path)
    {
        var folder = new RunFolder(path, resuming: false);
        if (File.Exists(folder.Checkpoint))
            throw new UserErrorException($"{path} already holds a training run: continue it with --resume {path}, or name another folder.");
        try
        {
            Directory.CreateDirectory(folder.Root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"The folder {path} cannot be made: {e.Message.TrimEnd('.')}; name another one with --output.", e);
        }
        return folder;
    }

    /// <summary>A run that was interrupted. If that was before its first checkpoint it begins again.</summary>
    /// <exception cref="UserErrorException">There is no run in that folder.</exception>
    public static RunFolder Resume(string path)
    {
        var folder = new RunFolder(path, resuming: true);
        if (!File.Exists(folder.Settings))
            throw new UserErrorException($"{path} holds no training run to resume: give the folder that `train --output` named.");
        return folder;
    }

    public string Root { get; }
    public bool IsResuming { get; }
    public string Settings => Path.Combine(Root, "settings.json");
    public string StartWeights => Path.Combine(Root, "start.safetensors");
    public string BestWeights => Path.Combine(Root, "best.safetensors");
    public string Checkpoint => Path.Combine(Root, "last.checkpoint");
    public string LogFile => Path.Combine(Root, "log.txt");
    public string MetricsFile => Path.Combine(Root, "metrics.jsonl");
    public string TrainingPlot => Path.Combine(Root, "training.png");
    public string RecallPlot => Path.Combine(Root, "recall.png");

    /// <summary>What the first epoch learnt from.</summary>
    public string MinedFirst => Path.Combine(Root, "mined-first.png");

    /// <summary>The same of the last epoch, if there was more than one.</summary>
    public string MinedLast => Path.Combine(Root, "mined-last.png");

    /// <summary>Writes everything that a resumed run has to know again.</summary>
    public void WriteSettings<T>(T settings) => AtomicFile.WriteText(Settings, JsonSerializer.Serialize(settings, Indented) + "\n");

    /// <exception cref="UserErrorException">The file is damaged.</exception>
    public T ReadSettings<T>()
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(Settings), Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{Settings} is damaged ({e.Message.TrimEnd('.')}): mend it, or start the run again.", e);
        }
    }

    /// <summary>Opens the growing files and cuts them to what they held at the checkpoint, since the steps after it are made again.</summary>
    internal void Open(RunLengths lengths)
    {
        log = Cut(LogFile, lengths.Log);
        metrics = Cut(MetricsFile, lengths.Metrics);
        events = new(Root);
    }

    internal void Log(string line) => log!.Write(Encoding.UTF8.GetBytes(line + "\n"));

    internal void Metric<T>(T record) => metrics!.Write([.. JsonSerializer.SerializeToUtf8Bytes(record, Json), (byte)'\n']);

    internal void Scalar(string tag, long step, double value) => events!.Scalars(step, (tag, value));

    /// <summary>Brings all lines to disk and says how long the files are now.</summary>
    internal RunLengths Flush()
    {
        log!.Flush(flushToDisk: true);
        metrics!.Flush(flushToDisk: true);
        return new(log.Length, metrics.Length);
    }

    internal static string ToJson<T>(T value) => JsonSerializer.Serialize(value, Json);

    internal static T FromJson<T>(string text) => JsonSerializer.Deserialize<T>(text, Json)!;

    private static FileStream Cut(string path, long length)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        if (file.Length < length)
        {
            file.Dispose();
            throw new UserErrorException($"{path} is shorter than its checkpoint says, so the run cannot continue as it was: start it again.");
        }
        file.SetLength(length);
        file.Seek(0, SeekOrigin.End);
        return file;
    }

    public void Dispose()
    {
        log?.Dispose();
        metrics?.Dispose();
        events?.Dispose();
    }
}
