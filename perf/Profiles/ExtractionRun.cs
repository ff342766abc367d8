using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Profiles;

/// <summary>Whether anything waits in <c>extract</c>: its time beside that of decoding alone and of the network alone, which together it should not exceed.</summary>
internal static class ExtractionRun
{
    public static void Run(ExtractionOptions options)
    {
        using var device = Device.Cpu();
        using var network = Network.Create(device, options.Network, 1);
        if (options.Network.Pooling.HasClusters())
        {
            var random = new Random(1);
            network.SetClusters([.. Enumerable.Range(0, options.Network.Clusters * network.LocalDimension).Select(_ => random.NextSingle())], 10);
        }
        var decoder = new SkiaImageDecoder();
        string[] paths = ImageFiles.Under(options.Images);
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.npy");
        string about = new Extraction(network, paths, decoder, options.Resize, options.Batch).ToString();
        var decoded = paths.Select(p => decoder.Decode(p, options.Resize)).ToArray();

        void Decode() => Parallel.For(0, paths.Length, i => decoder.Decode(paths[i], options.Resize));
        void Describe() => Extractor.Extract(network, paths, new Ready(paths, decoded), options.Resize, options.Batch);
        void Both() => Extractor.ExtractTo(file, network, paths, decoder, options.Resize, options.Batch);
        Action[] works = [Decode, Describe, Both];
        var seconds = works.Select(_ => new double[options.Rounds]).ToArray();
        foreach (var work in works)
            work();
        for (int round = 0; round < options.Rounds; round++)
            for (int i = 0; i < works.Length; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                works[i]();
                seconds[i][round] = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            }
        File.Delete(file);
        File.Delete(Path.ChangeExtension(file, ".txt"));

        double Median(Func<int, double> of) => Enumerable.Range(0, options.Rounds).Select(of).Order().ElementAt(options.Rounds / 2);
        string Row(string name, Func<int, double> of) => string.Create(CultureInfo.InvariantCulture, $"| {name} | {1000 * Median(of) / paths.Length:0.00} |\n");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Network.Backbone}, {options.Network.Pooling.Name()}, {about}, resize {options.Resize}, median of {options.Rounds}; {MachineReport.Create().Processor}, {device.Description}; peak {Peak()} MB\n\n| what | ms an image |\n|---|---|\n{Row("decoding alone", r => seconds[0][r])}{Row("network alone", r => seconds[1][r])}{Row("extract", r => seconds[2][r])}\nextract / (decoding + network), median of rounds: {Median(r => seconds[2][r] / (seconds[0][r] + seconds[1][r])):0.000}"));
    }

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 >> 20;
    }

    /// <summary>Images that were decoded before.</summary>
    private sealed class Ready(string[] paths, PixelImage[] decoded) : IImageDecoder
    {
        private readonly Dictionary<string, PixelImage> images = paths.Zip(decoded).ToDictionary(p => p.First, p => p.Second);

        public PixelImage Decode(string path, ResizePolicy policy) => images[path];

        public (int Height, int Width) ReadSize(string path) => (images[path].Height, images[path].Width);
    }
}
