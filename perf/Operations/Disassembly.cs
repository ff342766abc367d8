using System.Diagnostics;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>
/// <c>--disasm METHOD</c> before the benchmarks' own options: what the runtime's compiler makes of a kernel's method. BenchmarkDotNet's DisassemblyDiagnoser takes no benchmark that runs in process, and would
/// show the call of an operation rather than the loop far below it; the runtime itself lists any method that it compiles.
/// </summary>
internal static class Disassembly
{
    public const string Option = "--disasm";

    /// <summary>This program again, told by its environment to list the method.</summary>
    /// <param name="method">By its name, such as <c>MultiplyRuns4</c>; * at its end stands for anything.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string method, ReadOnlySpan<string> benchmarks)
    {
        string file = Path.GetFullPath(Path.Combine("BenchmarkDotNet.Artifacts", $"{method.TrimEnd('*')}.asm"));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Delete(file);
        string[] words = [.. OwnProgram.Words, .. benchmarks];
        var start = new ProcessStartInfo(words[0], words[1..]);
        start.Environment["DOTNET_JitDisasm"] = method;
        start.Environment["DOTNET_JitStdOutFile"] = file;
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (!File.Exists(file))
            throw new UserErrorException($"No method {method} was compiled while these benchmarks ran: name one that they call, without its class.");
        Console.WriteLine($"{method} as compiled: {file}");
        return process.ExitCode;
    }
}
