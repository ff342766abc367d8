using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Kernels;
using ILGPU.Runtime.Cuda;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>What this machine offers to the engine, and what does not work on it.</summary>
public sealed record MachineReport
{
    /// <summary>A CUDA device as its driver describes it.</summary>
    /// <param name="MemoryBytes">All of its memory.</param>
    /// <param name="Problem">Why it cannot be opened, or null.</param>
    public sealed record CudaDevice(int Index, string Name, string Architecture, long MemoryBytes, string? Problem);

    public required string Runtime { get; init; }
    public required string OperatingSystem { get; init; }
    public required string Architecture { get; init; }

    /// <summary>As the system names it; null where it does not.</summary>
    public required string? Processor { get; init; }

    /// <summary>Processors that this process may use, each a thread of Host variants.</summary>
    public required int Threads { get; init; }

    /// <summary>Those that matter here and that the runtime may use.</summary>
    public required IReadOnlyList<string> InstructionSets { get; init; }

    /// <summary>Which vectors Host variants compute with.</summary>
    public required string HostVectors { get; init; }

    /// <summary>Bytes that this process may use.</summary>
    public required long MemoryBytes { get; init; }

    public required IReadOnlyList<CudaDevice> Cuda { get; init; }

    /// <summary>Why there is no CUDA device; null where there is one.</summary>
    public required string? WhyNoCuda { get; init; }

    /// <summary>Package names and versions as loaded.</summary>
    public required IReadOnlyDictionary<string, string> Packages { get; init; }

    /// <summary>Image formats that were written and read back here, and why others were not.</summary>
    public required IReadOnlyDictionary<string, string> Images { get; init; }

    /// <summary>True if every image format works: without them nothing else does.</summary>
    public bool ImagesWork => Images.Values.All(v => v == Works);

    private const string Works = "works";

    public static MachineReport Create()
    {
        var cuda = FindCuda();
        return new()
        {
            Runtime = RuntimeInformation.FrameworkDescription,
            OperatingSystem = RuntimeInformation.OSDescription,
            Architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            Processor = ProcessorName(),
            Threads = Environment.ProcessorCount,
            InstructionSets = Sets(),
            HostVectors = HostSimd.Description,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Cuda = cuda,
            WhyNoCuda = cuda.Count > 0 ? null : WhyNone(),
            Packages = new SortedDictionary<string, string>
            {
                ["ILGPU"] = VersionOf(typeof(ILGPU.Context).Assembly),
                ["SkiaSharp"] = VersionOf(typeof(SKBitmap).Assembly),
                ["ScottPlot"] = VersionOf(typeof(ScottPlot.Plot).Assembly),
            },
            Images = TryImages(),
        };
    }

    private static string[] Sets()
    {
        (string Name, bool Here)[] all =
        [
            ("AVX-512F", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("SSE4.2", Sse42.IsSupported),
            ("AdvSimd", AdvSimd.IsSupported), ("SVE", IsSve()),
        ];
        return [.. all.Where(s => s.Here).Select(s => s.Name)];
    }

#pragma warning disable SYSLIB5003 // SVE's API is still called experimental; only whether it is there is asked.
    private static bool IsSve() => Sve.IsSupported;
#pragma warning restore SYSLIB5003

    private static string? ProcessorName()
    {
        try
        {
            if (File.Exists("/proc/cpuinfo"))
                return File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
        }
        catch (IOException)
        {
            // A name is not worth a failure.
        }
        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
    }

    private static List<CudaDevice> FindCuda()
    {
        var found = new List<CudaDevice>();
        int count = Device.CudaCount();
        for (int i = 0; i < count; i++)
        {
            try
            {
                using var device = Device.Cuda(i);
                var accelerator = (CudaAccelerator)device.Accelerator;
                found.Add(new(i, accelerator.Name, accelerator.Architecture.ToString(), accelerator.MemorySize, null));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                found.Add(new(i, "unknown", "unknown", 0, e.Message));
            }
        }
        return found;
    }

    private static string WhyNone()
    {
        if (!NativeLibrary.TryLoad(CudaLibrary.Name, out nint handle))
            return $"the NVIDIA driver's library {CudaLibrary.Name} is not installed";
        NativeLibrary.Free(handle);
        return "the NVIDIA driver is installed but reports no device";
    }

    private static SortedDictionary<string, string> TryImages()
    {
        var results = new SortedDictionary<string, string>();
        string folder = Directory.CreateTempSubdirectory("netvlad").FullName;
        try
        {
            foreach (var (format, ending) in new[] { (SKEncodedImageFormat.Jpeg, "jpg"), (SKEncodedImageFormat.Png, "png"), (SKEncodedImageFormat.Webp, "webp") })
                results[ending] = TryImage(Path.Combine(folder, $"test.{ending}"), format);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return results;
    }

    private static string TryImage(string path, SKEncodedImageFormat format)
    {
        try
        {
            using (var bitmap = new SKBitmap(new SKImageInfo(8, 6)))
            {
                bitmap.Erase(SKColors.Orange);
                using var data = bitmap.Encode(format, 90);
                File.WriteAllBytes(path, data.ToArray());
            }
            var image = new SkiaImageDecoder().Decode(path, ResizePolicy.Native);
            return image is { Height: 6, Width: 8 } && image.Rgb[0] > 200 ? Works : "comes back changed";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return e.Message;
        }
    }

    private static string VersionOf(Assembly assembly)
        => assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? assembly.GetName().Version!.ToString();
}
