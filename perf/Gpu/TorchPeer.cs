using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>PyTorch in a process of its own on the same GPU, asked for the same work in turn with ours: <c>torch_times.py</c>.</summary>
internal sealed class TorchPeer : IDisposable
{
    private readonly Process process;

    private TorchPeer(Process process) => this.process = process;

    /// <summary>Starts it.</summary>
    /// <param name="script">Null for none.</param>
    /// <returns>Null where there is no script, no Python, or no PyTorch that finds the GPU.</returns>
    public static TorchPeer? Start(string? script)
    {
        if (script is null)
            return null;
        Process? process = null;
        try
        {
            process = Process.Start(new ProcessStartInfo("python3", [script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            if (process.StandardOutput.ReadLine() is { } first && first.StartsWith("ready ", StringComparison.Ordinal))
            {
                Console.WriteLine($"PyTorch {first[6..]} in turn");
                return new(process);
            }
        }
        catch (Win32Exception)
        {
            // No Python.
        }
        process?.Dispose();
        Console.WriteLine("PyTorch does not start: no rows of it");
        return null;
    }

    /// <param name="work">extraction, conv5_1 or conv1_1.</param>
    /// <exception cref="UserErrorException">It could not, such as for want of memory, or ended.</exception>
    public double Seconds(string work, string precision, int images, int height, int width)
    {
        process.StandardInput.WriteLine($"{work} {precision} {images} {height} {width}");
        process.StandardInput.Flush();
        string? answer = process.StandardOutput.ReadLine();
        return answer?.Split(' ', 2) switch
        {
            ["seconds", var seconds] => double.Parse(seconds, CultureInfo.InvariantCulture),
            ["problem", var problem] => throw new UserErrorException($"PyTorch: {problem}"),
            _ => throw new UserErrorException("PyTorch ended before it answered."),
        };
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(5000))
            process.Kill();
        process.Dispose();
    }
}
