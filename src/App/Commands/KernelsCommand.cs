using System.CommandLine;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>kernels list</c>.</summary>
internal static class KernelsCommand
{
    public static Command Create()
    {
        var list = new Command("list", "Prints every operation with its formula and its variants in the order in which they are tried.\n\nExample: netvlad kernels list");
        CommandRun.Bind(list, List);
        return new Command("kernels", "For the performance engineer: the operations and their variants.\n\nExample: netvlad kernels list") { list };
    }

    private static void List(CommandRun run)
    {
        var document = KernelTable.All.Select(o => new
        {
            o.Name,
            o.Contract,
            Variants = o.AllVariants.Select(v => new { v.Name, v.Kind, v.Needs, Kernels = v.Kernels.Select(k => k.Name) }),
        }).ToArray();
        run.Print(document, () =>
        {
            var table = CommandRun.Table("operation", "contract", "variants");
            foreach (var operation in KernelTable.All)
                table.AddRow(Markup.Escape(operation.Name), Markup.Escape(operation.Contract), Markup.Escape(string.Join("\n", operation.AllVariants.Select(v => $"{v.Name} ({v.Needs})"))));
            AnsiConsole.Write(table);
        });
    }
}
