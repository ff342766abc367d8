using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace IlgpuNetVlad.Tests.App;

/// <summary>The built program as a child process, as a user runs it.</summary>
internal sealed record Netvlad(int ExitCode, string Output, string Errors)
{
    private static string Program => Path.Combine(AppContext.BaseDirectory, "netvlad.dll");

    /// <summary>Runs it to its end in the temporary folder's place.</summary>
    public static Netvlad Run(params string[] arguments) => Start(null, arguments).Finish();

    /// <inheritdoc cref="Run"/>
    /// <param name="folder">Working folder.</param>
    public static Netvlad RunIn(string folder, params string[] arguments) => Start(folder, arguments).Finish();

    /// <summary>Runs it to its end on a lesser machine.</summary>
    /// <param name="feature">What the runtime shall not use, by its switch: EnableAVX512, EnableAVX2 or EnableHWIntrinsic.</param>
    public static Netvlad RunWithout(string feature, params string[] arguments) => Start(null, arguments, feature).Finish();

    /// <summary>Starts it and leaves it running.</summary>
    public static Running Start(string? folder, params string[] arguments) => Start(folder, arguments, null);

    private static Running Start(string? folder, string[] arguments, string? without)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        // Compiled kernels are kept between them, and not among the user's.
        start.Environment["XDG_CACHE_HOME"] = Path.Combine(SmallCity.Root.FullName, "cache");
        foreach (string argument in (string[])[Program, .. arguments])
            start.ArgumentList.Add(argument);
        if (without is not null)
            start.Environment[$"DOTNET_{without}"] = "0";
        return new(Process.Start(start)!);
    }

    /// <summary>The one JSON document on standard output.</summary>
    public JsonElement Json()
    {
        try
        {
            return JsonDocument.Parse(Output).RootElement;
        }
        catch (JsonException e)
        {
            throw new AssertionException($"Standard output is no single JSON document: {e.Message}\n{Output}\n{Errors}");
        }
    }

    /// <summary>It did what it was told.</summary>
    public Netvlad Done()
    {
        Assert.That(ExitCode, Is.Zero, Output + Errors);
        return this;
    }

    /// <summary>It failed with one sentence and without a stack trace; returns the sentence.</summary>
    public string Refused(int exitCode = 1)
    {
        Assert.That(ExitCode, Is.EqualTo(exitCode), Output + Errors);
        Assert.That(Errors, Does.Not.Contain("   at "));
        Assert.That(Errors, Does.Not.Contain("fault of the program"));
        return exitCode == 1 ? Errors.TrimEnd().Split('\n')[^1] : Errors;
    }

    /// <summary>A process that has not ended yet.</summary>
    internal sealed class Running(Process process)
    {
        private readonly Task<string> output = process.StandardOutput.ReadToEndAsync();
        private readonly System.Text.StringBuilder errors = new();
        private Task? reading;

        /// <summary>Waits until a line on the error stream holds the text.</summary>
        public Running WaitFor(string text)
        {
            while (process.StandardError.ReadLine() is { } line)
            {
                errors.AppendLine(line);
                if (line.Contains(text, StringComparison.Ordinal))
                    return this;
            }
            throw new AssertionException($"It ended without saying '{text}':\n{errors}");
        }

        /// <summary>Ctrl-C.</summary>
        public Running Interrupt()
        {
            Assert.That(Kill(process.Id, signal: 2), Is.Zero);
            return this;
        }

        /// <summary>Waits for the end.</summary>
        public Netvlad Finish()
        {
            reading ??= process.StandardError.ReadToEndAsync().ContinueWith(t => errors.Append(t.Result), TaskScheduler.Default);
            if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
            {
                process.Kill();
                throw new AssertionException($"It did not end:\n{errors}");
            }
            reading.Wait();
            using (process)
                return new(process.ExitCode, output.Result, errors.ToString());
        }

        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        private static extern int Kill(int process, int signal);
    }
}
