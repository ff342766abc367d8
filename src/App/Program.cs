using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.App;
using IlgpuNetVlad.App.Commands;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var root = new RootCommand("NetVLAD place recognition: train it, measure it, and find out where a photo was taken. Without arguments, `train` makes a small city and learns to find its way in it.")
{
    DataCommand.Create(), KernelsCommand.Create(), DoctorCommand.Create(),
};
CommonOptions.AddTo(root);
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine($"See: netvlad {string.Join(" ", CommandRun.Path(parsed))} --help".Replace("  ", " "));
    return ExitCode.WrongUsage;
}
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    // The first Ctrl-C ends at a safe point; a second one ends the process.
    e.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
};
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, stop.Token);
