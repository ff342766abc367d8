using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Shell;

/// <summary>One run of a command: where results and progress go, the device, the seed, and the wish to stop.</summary>
internal sealed class Session : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly CancellationTokenSource stop = new();
    private readonly ConsoleCancelEventHandler onCancel;
    private readonly bool json, verbose;
    private readonly string device;
    private readonly Precision precision;
    private readonly PosixSignalRegistration terminate;
    private bool told;

    public Session(ParseResult parsed)
    {
        json = parsed.GetValue(CommonOptions.Json);
        verbose = parsed.GetValue(CommonOptions.Verbose);
        Seed = parsed.GetValue(CommonOptions.Seed);
        device = parsed.GetValue(CommonOptions.Device)!;
        precision = Enum.Parse<Precision>(parsed.GetValue(CommonOptions.Precision)!, ignoreCase: true);
        KeptKernels.Folder = KeptKernels.UsualFolder;
        Progress = Console.IsErrorRedirected ? new PlainProgress(Console.Error) : new TerminalProgress(Console.Error);
        // The second time the system ends the program.
        onCancel = (_, e) => e.Cancel = Stop();
        Console.CancelKeyPress += onCancel;
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = Stop());
    }

    public ulong Seed { get; }
    public IProgressSink Progress { get; }

    /// <summary>How the program is called from where the user stands: by `dotnet run` in the repository.</summary>
    public static string Program => File.Exists("IlgpuNetVlad.csproj") ? "dotnet run --" : "netvlad";

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken Token => stop.Token;

    /// <summary>Opens the device that the user asked for and says in one line which it is and why.</summary>
    public Device OpenDevice()
    {
        var choice = ChooseDevice();
        Progress.Line($"Device: {choice.Reason}");
        return choice.Device;
    }

    /// <inheritdoc cref="OpenDevice"/>
    public DeviceChoice ChooseDevice()
    {
        var choice = DeviceChoice.Open(device, precision, Progress, Token);
        // Where all were compared before, all are there.
        if (choice.Device.Kind == DeviceKind.Cuda)
            KeptKernels.FirstCompilation = () => Progress.Line("The GPU's kernels are compiled as they are needed, a second or more each, and kept for the next start.");
        return choice;
    }

    /// <summary>Writes the result of the command: a document for programs, or what <paramref name="print"/> makes of it for people.</summary>
    public void Result<T>(T document, Action<IAnsiConsole> print)
    {
        (Progress as IDisposable)?.Dispose();
        told = true;
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(document, Json));
        else
            print(ConsoleFor(Console.Out));
    }

    /// <summary>Tells what went wrong in one sentence.</summary>
    /// <returns>The exit code.</returns>
    public int Fail(Exception e)
    {
        (Progress as IDisposable)?.Dispose();
        if (e is AggregateException { InnerException: { } inner })
            e = inner;
        string message = e switch
        {
            OperationCanceledException => "Stopped as asked.",
            UserErrorException or UsageException => e.Message,
            IOException or UnauthorizedAccessException => $"{e.Message.TrimEnd('.')}; check the path and its permissions.",
            OutOfMemoryException => "The memory does not suffice; use smaller batches, smaller images or fewer of them.",
            _ when verbose => $"This is a fault of the program: {e.Message}",
            _ => $"This is a fault of the program: {e.Message.TrimEnd('.')}; run it again with --verbose and report what it shows.",
        };
        Console.Error.WriteLine(message);
        if (verbose && e is not OperationCanceledException)
            Console.Error.WriteLine(e);
        // One document, whatever happens.
        if (json && !told)
            WriteError(message);
        return e is UsageException ? Application.WrongUsage : Application.Failed;
    }

    /// <summary>The document of a command that failed.</summary>
    internal static void WriteError(string message) => Console.Out.WriteLine(JsonSerializer.Serialize(new { error = message }, Json));

    /// <returns>False where a stop was asked for before.</returns>
    private bool Stop()
    {
        if (stop.IsCancellationRequested)
            return false;
        Progress.Line("Stopping at the next safe point; once more stops at once.");
        stop.Cancel();
        return true;
    }

    private static IAnsiConsole ConsoleFor(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        // A file has no width: lines in it must not be broken.
        if (Console.IsOutputRedirected)
            console.Profile.Width = 200;
        return console;
    }

    public void Dispose()
    {
        KeptKernels.FirstCompilation = null;
        (Progress as IDisposable)?.Dispose();
        Console.CancelKeyPress -= onCancel;
        terminate.Dispose();
        stop.Dispose();
    }
}
