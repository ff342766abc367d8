using System.CommandLine;

namespace IlgpuNetVlad.App.Shell;

/// <summary>A command with examples for its help.</summary>
internal abstract class AppCommand : Command
{
    protected AppCommand(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        Action = new AppAction(Run);
    }

    /// <summary>Whole lines as a user types them.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Does the work; what it throws ends the program with code 1.</summary>
    protected abstract void Run(ParseResult parsed, Session session);
}
