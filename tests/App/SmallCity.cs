namespace IlgpuNetVlad.Tests.App;

/// <summary>A city of a few places, made once by the command itself for all tests that need one.</summary>
[SetUpFixture, Parallelizable]
internal sealed class SmallCity
{
    /// <summary>Options that make it small.</summary>
    public static readonly string[] Size =
    [
        "--width", "48", "--height", "32", "--train-places", "12", "--val-places", "8", "--test-places", "8",
        "--train-queries", "16", "--val-queries", "8", "--test-queries", "12",
    ];

    /// <summary>For what tests of this namespace write; gone after them.</summary>
    public static DirectoryInfo Root { get; } = Directory.CreateTempSubdirectory("netvlad-tests");

    /// <summary>Options that make training on it take seconds.</summary>
    public static readonly string[] ShortTraining =
        ["--clusters", "4", "--epochs", "2", "--refresh", "5", "--fixed-refresh", "--database-asks", "false", "--tuples", "2", "--negatives", "3", "--learning-rate", "0.003", "--device", "cpu"];

    private static readonly Lazy<string> Made = new(() =>
    {
        string folder = Path.Combine(Root.FullName, "city");
        Netvlad.Run(["data", "make-city", folder, .. Size]).Done();
        return folder;
    });

    private static readonly Lazy<string> TrainedOnIt = new(() =>
    {
        string run = Path.Combine(Root.FullName, "run");
        Netvlad.Run(["train", Folder, "--output", run, .. ShortTraining]).Done();
        return run;
    });

    public static string Folder => Made.Value;

    /// <summary>Folder of a finished run on it.</summary>
    public static string Run => TrainedOnIt.Value;

    /// <summary>Weights that it wrote.</summary>
    public static string Weights => Path.Combine(Run, "best.safetensors");

    [OneTimeTearDown]
    public void Remove() => Root.Delete(recursive: true);
}
