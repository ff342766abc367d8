using System.CommandLine;

namespace IlgpuNetVlad.App;

/// <summary>Options that every command takes.</summary>
internal static class CommonOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document instead of a table; progress goes to the error stream.", Recursive = true };

    public static readonly Option<ulong> Seed = new("--seed") { Description = "Seed of everything that is drawn at random.", DefaultValueFactory = _ => 1, Recursive = true };

    public static readonly Option<string> Device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N. auto takes a GPU only if its kernels agree with the processor's.", DefaultValueFactory = _ => "auto", Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose") { Description = "Print the stack trace of an error too.", Recursive = true };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Json);
        root.Options.Add(Seed);
        root.Options.Add(Device);
        root.Options.Add(Verbose);
    }
}
