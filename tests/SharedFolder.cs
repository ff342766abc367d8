namespace IlgpuNetVlad.Tests;

/// <summary>Where data, golden values and tools lie that are not part of the project. Tests that need them skip, visibly, without.</summary>
public static class SharedFolder
{
    /// <summary>The root of the repository, found from the test assembly upwards.</summary>
    public static string Repository { get; } = FindRepository();

    private static string Root => Environment.GetEnvironmentVariable("NETVLAD_SHARED") is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(Repository, "..", "shared"));

    /// <summary>Folder of expected values from PyTorch: NETVLAD_GOLDEN, or <c>golden</c> in the shared folder. May not exist.</summary>
    public static string Golden => Environment.GetEnvironmentVariable("NETVLAD_GOLDEN") is { Length: > 0 } named ? named : Path.Combine(Root, "golden");

    /// <summary>A path below the shared folder, whether or not it exists.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>A path below the shared folder; ignores the running test, saying so, where it does not exist.</summary>
    public static string Require(params string[] parts)
    {
        string path = PathOf(parts);
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Ignore($"{Path.Combine(parts)} is not in the shared folder {Root}; set NETVLAD_SHARED to where it is.");
        return path;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IlgpuNetVlad.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException("The test assembly does not lie below the repository.");
    }
}
