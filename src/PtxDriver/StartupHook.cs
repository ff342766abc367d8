using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using IlgpuNetVlad.PtxDriver;

/// <summary>
/// What .NET calls before a program's Main where <c>DOTNET_STARTUP_HOOKS</c> names this assembly; it asks for exactly this name without a namespace. Whatever then looks for NVIDIA's driver finds the one
/// here: a library with its entries, each of which leads into <see cref="Exports"/>.
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
    private static unsafe void Install()
    {
        var entries = typeof(Exports).GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Select(m => (Name: m.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint, Method: m)).Where(e => e.Name is not null).ToArray();
        string path = Path.Combine(Path.GetTempPath(), $"ptx-driver-{Environment.ProcessId}-{ElfLibrary.Soname}");
        File.WriteAllBytes(path, ElfLibrary.Write([.. entries.Select(e => e.Name!)]));
        try
        {
            // The loader knows it from now on by its soname.
            nint library = NativeLibrary.Load(path);
            var targets = (nint*)NativeLibrary.GetExport(library, ElfLibrary.TargetsName);
            for (int i = 0; i < entries.Length; i++)
                targets[i] = entries[i].Method.MethodHandle.GetFunctionPointer();
        }
        finally
        {
            File.Delete(path);
        }
    }
}
