namespace IlgpuNetVlad.App.Shell;

/// <summary>Words that are well formed each and do not go together; exit code 2. The message says what to do.</summary>
internal sealed class UsageException(string message) : Exception(message);
