using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>kernels ptx</c></summary>
internal sealed class KernelsPtxCommand : AppCommand
{
    private readonly Argument<string?> name = new("kernel") { Description = "A CUDA kernel as `kernels list` names it; all of them where an output folder is given.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> output = new("--output", "-o") { Description = "A folder that gets one .ptx file a kernel.", HelpName = "folder" };

    public KernelsPtxCommand()
        : base(
            "ptx",
            "Prints the PTX of a CUDA kernel as the driver gets it, or writes it to a file; no GPU is needed.",
            "netvlad kernels ptx gemm.simt-32x32x16",
            "netvlad kernels ptx --output ptx")
    {
        Arguments.Add(name);
        Options.Add(output);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string? folder = parsed.GetValue(output);
        var kernels = parsed.GetValue(name) is { } one ? [Find(one)] : folder is not null ? KernelTable.CudaKernels.ToArray()
            : throw new UsageException("Name a kernel, or give --output for all of them.");
        if (folder is not null)
            AtomicFile.Check(Path.Combine(folder, $"{kernels[0].Name}.ptx"));
        using var compiler = new OfflinePtx();
        var texts = kernels.Select(k => (Kernel: k, Ptx: compiler.Compile(k))).ToArray();
        if (folder is not null)
            foreach (var (kernel, ptx) in texts)
                AtomicFile.WriteText(Path.Combine(folder, $"{kernel.Name}.ptx"), ptx);
        var documents = texts.Select(t => Document(t.Kernel, t.Ptx)).ToArray();
        session.Result(new { output = folder, kernels = documents }, console =>
        {
            // Not by the console, which folds lines at its width.
            if (folder is null)
                console.Profile.Out.Writer.WriteLine(texts[0].Ptx);
            else
                console.WriteLine($"{texts.Length} kernels written to {folder}.");
        });
    }

    /// <exception cref="UserErrorException">There is no such kernel.</exception>
    internal static SimtKernel Find(string name) => KernelTable.CudaKernels.FirstOrDefault(k => k.Name == name)
        ?? throw new UserErrorException($"There is no CUDA kernel '{name}'; `{Session.Program} kernels list` shows their names.");

    private static object Document(SimtKernel kernel, string ptx)
    {
        var function = PtxModule.Parse(ptx).Kernels[0];
        return new { kernel.Name, Instructions = function.Instructions.Count, function.SharedBytes, function.LocalBytes, Ptx = ptx };
    }
}
