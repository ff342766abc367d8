using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace IlgpuNetVlad.App.Shell;

/// <summary>The library's help, and below it the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <summary>Help may be asked for beside wrong words.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parsed)
    {
        int result = help.Invoke(parsed);
        var output = parsed.InvocationConfiguration.Output;
        var examples = Examples(parsed.CommandResult.Command).ToArray();
        output.WriteLine(examples.Length == 1 ? "Example:" : "Examples:");
        foreach (string example in examples)
            output.WriteLine($"  {example}");
        return result;
    }

    /// <summary>A group of commands shows the first example of each.</summary>
    private static IEnumerable<string> Examples(Command command)
        => command is AppCommand own ? own.Examples : command.Subcommands.SelectMany(c => Examples(c).Take(1));
}
