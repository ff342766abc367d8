using System.CommandLine;
using System.Text.RegularExpressions;

namespace IlgpuNetVlad.App.Shell;

/// <summary>What every command understands.</summary>
internal static partial class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Write one JSON document to standard output; progress goes to standard error.",
        Recursive = true,
    };

    public static Option<ulong> Seed { get; } = new("--seed")
    {
        Description = "Start of all random numbers: the same seed gives the same result.",
        HelpName = "number",
        DefaultValueFactory = _ => 1,
        Recursive = true,
    };

    public static Option<string> Device { get; } = new("--device")
    {
        Description = "Where to compute: auto, cuda, cuda:N or cpu; auto takes a GPU whose kernels agree with the processor's.",
        HelpName = "device",
        DefaultValueFactory = _ => "auto",
        Recursive = true,
    };

    public static Option<string> Precision { get; } = new("--precision")
    {
        Description = "What a GPU's products take: fp32, or tf32 or bf16 for tensor cores (sums stay fp32). The processor always takes fp32.",
        HelpName = "fp32|tf32|bf16",
        DefaultValueFactory = _ => "fp32",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Show where in the program an error arose.",
        Recursive = true,
    };

    public static IReadOnlyList<Option> All { get; } = [Json, Seed, Device, Precision, Verbose];

    static CommonOptions()
    {
        Device.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !DeviceName().IsMatch(result.Tokens[0].Value))
                result.AddError($"There is no device '{result.Tokens[0].Value}': say auto, cuda, cuda:0 (or another number), or cpu.");
        });
        Precision.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && result.Tokens[0].Value is not ("fp32" or "tf32" or "bf16"))
                result.AddError($"There is no precision '{result.Tokens[0].Value}': say fp32, tf32 or bf16.");
        });
    }

    [GeneratedRegex("^(auto|cpu|cuda(:[0-9]{1,4})?)$")]
    private static partial Regex DeviceName();
}
