using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using IlgpuNetVlad.App.Commands;

namespace IlgpuNetVlad.App.Shell;

/// <summary>The command line as a whole: its commands, and what becomes of wrong words.</summary>
internal static class Application
{
    public const int Done = 0, Failed = 1, WrongUsage = 2;

    public static int Run(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var root = Create();
        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction || (parsed.Errors.Count > 0 && parsed.Action is AppAction))
        {
            foreach (var error in parsed.Errors)
                Console.Error.WriteLine(error.Message);
            // One document, whatever happens; of words that are wrong it is not known which one was an option.
            if (args.Contains(CommonOptions.Json.Name))
                Session.WriteError(string.Join(' ', parsed.Errors.Select(e => e.Message)));
            Console.Error.WriteLine($"`{Words(parsed.CommandResult.Command)} --help` shows what can be said.");
            return WrongUsage;
        }
        // Ctrl-C is handled by the session, which ends at a safe point instead of after some seconds.
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("NetVLAD place recognition: which known place does a photograph show?")
        {
            new TrainCommand(),
            new EvalCommand(),
            new StudyCommand(),
            new IndexCommand(),
            new LocalizeCommand(),
            new ExtractCommand(),
            new PcaCommand(),
            new ConvertCommand(),
            new Command("data", "Makes and inspects sets of images.") { new MakeCityCommand(), new ImportWalksCommand(), new ImportDbStructCommand(), new InspectCommand() },
            new ExportCommand(),
            new Command("kernels", "What computes.") { new KernelsListCommand(), new KernelsPtxCommand(), new KernelsVerifyCommand(), new KernelsProfileCommand() },
            new DoctorCommand(),
        };
        foreach (var option in CommonOptions.All)
            root.Options.Add(option);
        foreach (var option in root.Options.OfType<HelpOption>())
            option.Action = new HelpWithExamples((HelpAction)option.Action!);
        return root;
    }

    /// <summary>How a command is called: <c>netvlad data inspect</c>.</summary>
    internal static string Words(Command command)
        => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Words(parent)} {command.Name}" : "netvlad";
}
