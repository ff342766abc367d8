namespace IlgpuNetVlad.Perf;

/// <summary>This very program, for starting it once more.</summary>
internal static class OwnProgram
{
    /// <summary>Its own starter, or dotnet and the assembly.</summary>
    public static IEnumerable<string> Words
    {
        get
        {
            string program = Environment.ProcessPath!;
            return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, typeof(OwnProgram).Assembly.Location] : [program];
        }
    }
}
