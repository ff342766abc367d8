using System.CommandLine;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>kernels verify</c></summary>
internal sealed class KernelsVerifyCommand : AppCommand
{
    private readonly Argument<string[]> names = new("kernels") { Description = "CUDA kernels as `kernels list` names them; all where none is named.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> update = new("--update") { Description = "Write what was found to this file, to be committed as what is expected; of kernels that are not named, what is expected already.", HelpName = "file" };

    public KernelsVerifyCommand()
        : base(
            "verify",
            "Checks the PTX of every CUDA kernel: limits of the hardware, local memory, and, with ptxas (PTXAS, on the path or in a CUDA toolkit), registers and spills.",
            "netvlad kernels verify",
            "netvlad kernels verify --update src/App/Emitted/kernel-expectations.json")
    {
        Arguments.Add(names);
        Options.Add(update);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        var assembler = PtxAssembler.Find(Path.Combine("..", "shared", "tools", "ptxas"));
        var expected = KernelExpectations.Committed();
        string? file = parsed.GetValue(update);
        if (file is not null)
            AtomicFile.Check(file);
        var rows = new List<Row>();
        using (var verification = new KernelVerification(assembler))
        {
            SimtKernel[] kernels = parsed.GetValue(names) is { Length: > 0 } named ? [.. named.Select(KernelsPtxCommand.Find).Distinct()] : [.. KernelTable.CudaKernels];
            session.Progress.Begin("Verifying", kernels.Length, "kernels");
            foreach (var kernel in kernels)
            {
                session.Token.ThrowIfCancellationRequested();
                var (found, faults) = verification.Verify(kernel);
                string? difference = KernelVerification.Difference(expected.Kernels.GetValueOrDefault(kernel.Name), found, assembler?.Version == expected.Assembler);
                rows.Add(new(kernel.Name, found, faults, difference));
                session.Progress.Advance(rows.Count);
            }
        }
        if (file is not null)
        {
            if (assembler is null)
                throw new UserErrorException("There is no ptxas to tell registers; set PTXAS to its path.");
            var written = new SortedDictionary<string, VerifiedKernel>(rows.ToDictionary(r => r.Name, r => r.Found), StringComparer.Ordinal);
            foreach (var kernel in KernelTable.CudaKernels)
                if (expected.Kernels.TryGetValue(kernel.Name, out var known))
                    written.TryAdd(kernel.Name, known);
            AtomicFile.WriteText(file, new KernelExpectations(assembler.Version, written).Text());
        }
        session.Result(new { assembler = assembler?.Version, expectationsOf = expected.Assembler, kernels = rows }, console => Print(console, rows, assembler));
        if (rows.Where(r => r.Faults.Count > 0 || (r.Difference is not null && file is null)).Select(r => r.Name).ToArray() is { Length: > 0 } wrong)
            throw new UserErrorException($"{wrong.Length} of {rows.Count} kernels are not as they should be: {string.Join(", ", wrong)}.");
    }

    private sealed record Row(string Name, VerifiedKernel Found, IReadOnlyList<string> Faults, string? Difference);

    private static void Print(IAnsiConsole console, List<Row> rows, PtxAssembler? assembler)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("kernel");
        foreach (string title in new[] { "threads", "instructions", "mma", "shared, B", "16-byte of global accesses" }.Concat(assembler is null ? [] : KernelVerification.AllChips.Select(c => $"registers, {c}")))
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (var row in rows)
        {
            var ptx = row.Found.Ptx;
            table.AddRow([
                Markup.Escape(row.Name), $"{row.Found.Threads}", $"{ptx.Instructions}", $"{ptx.TensorInstructions}", $"{ptx.SharedBytes}",
                $"{ptx.GlobalAccesses.GetValueOrDefault(16)} of {ptx.GlobalAccesses.Values.Sum()}", .. (assembler is null ? [] : KernelVerification.AllChips).Select(c => row.Found.Chips.TryGetValue(c, out var made) ? $"{made.Registers}" : ""),
            ]);
        }
        console.Write(table);
        foreach (var row in rows)
            foreach (string fault in row.Faults.Concat(row.Difference is { } d ? [$"other than expected: {d}"] : Array.Empty<string>()))
                console.WriteLine($"{row.Name}: {fault}");
        console.WriteLine(assembler is null
            ? $"{rows.Count} kernels; no ptxas was found (PTXAS, the path, a CUDA toolkit), so registers and spills are not known."
            : $"{rows.Count} kernels, assembled by ptxas {assembler.Version} for {string.Join(" and ", KernelVerification.AllChips)}.");
    }
}
