using System.Runtime.InteropServices;
using SkiaSharp;
using static TorchSharp.torch;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>
/// What <c>netvlad extract</c> does, as one would write it with TorchSharp: images of one size decoded by SkiaSharp on all cores, the next batch while the network computes, descriptors as raw fp32.
/// </summary>
internal static class FolderExtraction
{
    public static void Run(string backbone, string weights, string folder, string output, int batch, Layout layout)
    {
        using var network = new NetVladNetwork(backbone, weights, layout);
        using var noGradient = no_grad();
        string[][] batches = [.. Directory.GetFiles(folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Chunk(batch)];
        using var file = File.Create(output);
        var next = Task.Run(() => Decoded(batches[0], layout));
        for (int i = 0; i < batches.Length; i++)
        {
            using var scope = NewDisposeScope();
            var pixels = next.Result;
            if (i + 1 < batches.Length)
            {
                string[] names = batches[i + 1];
                next = Task.Run(() => Decoded(names, layout));
            }
            file.Write(MemoryMarshal.AsBytes<float>(network.forward(pixels).data<float>().ToArray()));
            pixels.Dispose();
        }
    }

    /// <summary>[images,3,H,W] in 0…255.</summary>
    private static Tensor Decoded(string[] names, Layout layout)
    {
        var images = new Tensor[names.Length];
        Parallel.For(0, names.Length, i =>
        {
            using var bitmap = SKBitmap.Decode(names[i], SKBitmap.DecodeBounds(names[i]).WithColorType(SKColorType.Rgba8888));
            images[i] = tensor(bitmap.GetPixelSpan().ToArray(), [bitmap.Height, bitmap.Width, 4], dtype: ScalarType.Byte);
        });
        using var scope = NewDisposeScope();
        var all = stack(images).narrow(3, 0, 3).permute(0, 3, 1, 2).to(ScalarType.Float32);
        foreach (var image in images)
            image.Dispose();
        return (layout == Layout.Contiguous ? all.contiguous() : all.Laid(layout)).MoveToOuterDisposeScope();
    }
}
