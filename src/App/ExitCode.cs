namespace IlgpuNetVlad.App;

/// <summary>What the program tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0, Failed = 1, WrongUsage = 2;
}
