namespace IlgpuNetVlad.Tests.App;

/// <summary>A city of a few places, made once by the command itself for all tests that need one.</summary>
[SetUpFixture]
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

    private static readonly Lazy<string> Made = new(() =>
    {
        string folder = Path.Combine(Root.FullName, "city");
        Netvlad.Run(["data", "make-city", folder, .. Size]).Done();
        return folder;
    });

    public static string Folder => Made.Value;

    [OneTimeTearDown]
    public void Remove() => Root.Delete(recursive: true);
}
