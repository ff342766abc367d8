using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App;

/// <summary>One run of a command: what was asked for, where output goes, and what becomes of errors.</summary>
internal sealed class CommandRun
{
    private static readonly JsonSerializerOptions JsonFormat = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly ParseResult parsed;

    private CommandRun(ParseResult parsed, CancellationToken token)
    {
        this.parsed = parsed;
        Token = token;
        IsJson = parsed.GetValue(CommonOptions.Json);
        Progress = new ConsoleProgress(IsJson);
    }

    public CancellationToken Token { get; }

    public bool IsJson { get; }

    public ConsoleProgress Progress { get; }

    public ulong Seed => parsed.GetValue(CommonOptions.Seed);

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>True where the user gave the option, rather than its default.</summary>
    public bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Binds a body to a command: its errors become one sentence and exit code 1.</summary>
    public static void Bind(Command command, Action<CommandRun> body) => command.SetAction((parsed, token) =>
    {
        var run = new CommandRun(parsed, token);
        return Task.FromResult(run.Invoke(body));
    });

    private int Invoke(Action<CommandRun> body)
    {
        try
        {
            body(this);
            Progress.Finish();
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (Token.IsCancellationRequested)
        {
            Progress.Finish();
            Console.Error.WriteLine("Stopped, as asked; nothing that was written is incomplete.");
            return ExitCode.Failed;
        }
        catch (UsageException e)
        {
            Progress.Finish();
            Console.Error.WriteLine(e.Message);
            return ExitCode.WrongUsage;
        }
        catch (Exception e) when (e is UserErrorException or IOException or UnauthorizedAccessException or NotSupportedException or OutOfMemoryException || !parsed.GetValue(CommonOptions.Verbose))
        {
            Progress.Finish();
            Console.Error.WriteLine(e is UserErrorException or IOException or UnauthorizedAccessException ? e.Message : $"{e.Message} (an error inside the program: --verbose tells where)");
            if (parsed.GetValue(CommonOptions.Verbose))
                Console.Error.WriteLine(e);
            return ExitCode.Failed;
        }
    }

    /// <summary>Opens the device that was asked for and says which it is and why.</summary>
    public Device OpenDevice()
    {
        var choice = DeviceChoice.Open(parsed.GetValue(CommonOptions.Device)!, Token);
        Progress.Line($"device: {choice.Reason}");
        return choice.Device;
    }

    /// <summary>Prints the result: the document with --json, else the picture for people.</summary>
    public void Print<T>(T document, Action forPeople)
    {
        Progress.Finish();
        if (IsJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(document, JsonFormat));
        else
            forPeople();
    }

    /// <summary>Names of the command and its parents, without the program's own.</summary>
    public static IEnumerable<string> Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: not RootCommand } command; result = result.Parent)
            names.Insert(0, command.Command.Name);
        return names;
    }

    /// <summary>A table in the program's one style.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (string column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)));
        return table;
    }
}
