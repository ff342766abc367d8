using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>kernels list</c></summary>
internal sealed class KernelsListCommand() : AppCommand(
    "list",
    "Lists every operation with its formula and its variants in the order in which they are tried.",
    "netvlad kernels list",
    "netvlad kernels list --json")
{
    protected override void Run(ParseResult parsed, Session session)
    {
        var operations = KernelTable.All.Select(o => new
        {
            o.Name,
            o.Contract,
            Variants = o.AllVariants.Select(v => new { v.Name, v.Kind, v.Needs, Kernels = v.Kernels.Select(k => k.Name) }),
        }).ToArray();
        session.Result(new { operations }, console =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("operation", "variant", "runs on", "CUDA kernels");
            foreach (var operation in operations)
            {
                string name = operation.Name;
                foreach (var variant in operation.Variants)
                {
                    table.AddRow([.. new[] { name, variant.Name, variant.Needs, string.Join("\n", variant.Kernels) }.Select(Markup.Escape)]);
                    name = "";
                }
            }
            console.Write(table);
            console.WriteLine($"{operations.Length} operations, {operations.Sum(o => o.Variants.Count())} variants; the first variant that takes a problem on the device runs.");
            console.WriteLine("Formulas:");
            foreach (var operation in operations)
                console.WriteLine($"  {operation.Name}: {operation.Contract}");
        });
    }
}
