using System.CommandLine;
using System.CommandLine.Invocation;

namespace IlgpuNetVlad.App.Shell;

/// <summary>Runs a command in a session and turns whatever goes wrong into one sentence and an exit code.</summary>
internal sealed class AppAction(Action<ParseResult, Session> run) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parsed)
    {
        using var session = new Session(parsed);
        try
        {
            run(parsed, session);
            return Application.Done;
        }
        catch (Exception e)
        {
            return session.Fail(e);
        }
    }
}
