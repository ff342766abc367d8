using System.Reflection;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>Puts <see cref="Exports"/> behind the name of NVIDIA's library, for this process.</summary>
public static class DriverLibrary
{
    private static nint loaded;

    /// <summary>Whoever loads <c>libcuda.so.1</c> from now on gets the driver here.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x86-64.</exception>
    public static unsafe void Install()
    {
        if (loaded != 0)
            return;
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("The driver that executes PTX stands behind a library's name on Linux with x86-64 alone.");
        var entries = typeof(Exports).GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Select(m => (Name: m.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint, Method: m)).Where(e => e.Name is not null).ToArray();
        string path = Path.Combine(Path.GetTempPath(), $"ptx-driver-{Environment.ProcessId}-{ElfLibrary.Soname}");
        File.WriteAllBytes(path, ElfLibrary.Write([.. entries.Select(e => e.Name!)]));
        try
        {
            // The loader knows it from now on by its soname.
            loaded = NativeLibrary.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
        var targets = (nint*)NativeLibrary.GetExport(loaded, ElfLibrary.TargetsName);
        for (int i = 0; i < entries.Length; i++)
            targets[i] = entries[i].Method.MethodHandle.GetFunctionPointer();
    }
}
