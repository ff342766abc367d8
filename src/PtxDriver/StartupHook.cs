using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using IlgpuNetVlad.PtxDriver;

/// <summary>
/// What .NET calls before a program's Main where <c>DOTNET_STARTUP_HOOKS</c> names this assembly; it asks for exactly this name without a namespace. Whatever then looks for NVIDIA's driver finds this
/// one, <see cref="DriverLibrary"/>.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        string folder = Path.GetDirectoryName(typeof(StartupHook).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) => File.Exists(Path.Combine(folder, name.Name + ".dll")) ? context.LoadFromAssemblyPath(Path.Combine(folder, name.Name + ".dll")) : null;
        Install();
    }

    /// <summary>Apart, for it needs assemblies that are only found by then.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Install() => DriverLibrary.Install();
}
