namespace IlgpuNetVlad.App;

/// <summary>Arguments that each are well formed but do not go together; exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
