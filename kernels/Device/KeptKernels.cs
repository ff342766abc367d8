using System.IO.Hashing;
using System.Reflection;
using System.Text;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Kernels that were compiled before, in a folder of the user's: ILGPU takes a minute or two for all of them. A file belongs to one build of this library and of ILGPU and to one target, so nothing stale is
/// ever found; what cannot be read or written is compiled.
/// </summary>
public static class KeptKernels
{
    /// <summary>Builds of the past go when they are as old.</summary>
    private static readonly TimeSpan MostAge = TimeSpan.FromDays(30);

    /// <summary>Where programs keep them, among what may be made again: <c>XDG_CACHE_HOME</c>, or what the system has in its place; null where it has none.</summary>
    public static string? UsualFolder
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            string? caches = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify)
                : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set
                : home.Length == 0 ? null : Path.Combine(home, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
            return caches is { Length: > 0 } ? Path.Combine(caches, "netvlad", "kernels") : null;
        }
    }

    /// <summary>Where they are kept; null, as at first, keeps none.</summary>
    public static string? Folder { get; set; }

    /// <summary>Is called once, before the first kernel that was not kept is compiled, which takes a second or more, as each after it; null, as at first, tells nobody.</summary>
    public static Action? FirstCompilation
    {
        get => first;
        set => first = value;
    }

    private static Action? first;

    internal static void TellOfCompilation() => Interlocked.Exchange(ref first, null)?.Invoke();

    internal static EmittedKernel? Find(SimtKernel kernel, PtxTarget target)
    {
        try
        {
            return Folder is { } folder ? EmittedKernel.Read(File.ReadAllText(Place(folder, kernel, target))) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static void Keep(SimtKernel kernel, PtxTarget target, EmittedKernel emitted)
    {
        if (Folder is { } folder)
            Write(Place(folder, kernel, target), emitted.Written());
    }

    /// <summary>Writes a file of a build's; it is as if it had not been where that cannot be.</summary>
    internal static void Write(string place, string text)
    {
        try
        {
            string build = Path.GetDirectoryName(place)!, folder = Path.GetDirectoryName(build)!;
            if (!Directory.Exists(build))
            {
                Directory.CreateDirectory(build);
                foreach (string past in Directory.GetDirectories(folder).Where(d => DateTime.UtcNow - Directory.GetLastWriteTimeUtc(d) > MostAge))
                    Directory.Delete(past, recursive: true);
            }
            // Aside first: two processes may write the same.
            string aside = $"{place}.{Guid.NewGuid():N}.part";
            File.WriteAllText(aside, text);
            File.Move(aside, place, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What it says is made again.
        }
    }

    internal static void Remove(string place)
    {
        try
        {
            File.Delete(place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // So is this.
        }
    }

    private static string Place(string folder, SimtKernel kernel, PtxTarget target) => Path.Combine(BuildFolder(folder, target), kernel.Entry + ".ptx");

    /// <summary>Where all is that belongs to this build and a target.</summary>
    internal static string BuildFolder(string folder, PtxTarget target)
    {
        var builds = new[] { typeof(KeptKernels).Assembly, typeof(ILGPU.Context).Assembly }.Select(a => a.ManifestModule.ModuleVersionId);
        return Path.Combine(folder, Digest(string.Join(' ', builds) + $" {target.Chip} {target.Version}")[..16]);
    }

    /// <summary>Tells texts apart; nobody is kept out by it. Not one of .NET's own, which on Linux are OpenSSL's and end the process where a small system lacks that.</summary>
    internal static string Digest(string text) => Convert.ToHexString(XxHash128.Hash(Encoding.UTF8.GetBytes(text)));
}
