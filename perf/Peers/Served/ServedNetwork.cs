using System.Runtime.InteropServices;
using ILGPU;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>Descriptors of a batch of images from 8-bit pixels, preprocessing included; or VGG-16's maps of images of any numbers.</summary>
internal sealed class ServedNetwork : IServedWork
{
    private readonly Network network;
    private readonly NetworkPlan plan;
    private readonly int batch;
    private readonly PixelImage[]? pixels;
    private readonly float[] input;
    private ArrayView<float> found;

    /// <param name="name">Of <see cref="ComparedNetwork.Names"/>.</param>
    public ServedNetwork(Device device, string name, string weights, int batch, int height, int width)
    {
        this.batch = batch;
        network = ComparedNetwork.Open(device, name, weights);
        bool numbers = name == ComparedNetwork.Trunk;
        plan = network.Plan(batch, height, width, pixels: !numbers);
        input = new float[batch * plan.InputLength];
        pixels = numbers ? null : [.. Enumerable.Range(0, batch).Select(_ => new PixelImage(height, width, new byte[plan.InputShape.Length]))];
    }

    public void Take(string path)
    {
        var planes = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path));
        int length = (int)plan.InputShape.Length, count = length / 3;
        for (int image = 0; image < batch; image++)
            for (int i = 0; i < length; i++)
            {
                float value = planes[image * length + i % 3 * count + i / 3];
                if (pixels is null)
                    input[image * length + i] = value;
                else
                    pixels[image].Rgb[i] = (byte)value;
            }
    }

    public void Run()
    {
        if (pixels is null)
        {
            network.Device.Upload(input, plan.Input);
            plan.ForwardTrunk(batch);
            found = plan.Features(batch);
            return;
        }
        for (int i = 0; i < batch; i++)
            pixels[i].CopyTo(input.AsSpan(i * plan.InputLength, plan.InputLength));
        network.Device.Upload(input, plan.Input);
        found = plan.Forward(batch);
    }

    /// <summary>Maps as peers give them, [D,P,Q] an image, or descriptors.</summary>
    public byte[] Answer()
    {
        float[] rows = network.Device.Download(found);
        return MemoryMarshal.AsBytes<float>(pixels is null ? Planes(rows) : rows).ToArray();
    }

    /// <summary>[batch, N, D] as [batch, D, N].</summary>
    private float[] Planes(float[] rows)
    {
        int channels = network.LocalDimension, length = rows.Length / batch, count = length / channels;
        var planes = new float[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            planes[i / length * length + i % channels * count + i % length / channels] = rows[i];
        return planes;
    }

    public void Dispose()
    {
        plan.Dispose();
        network.Dispose();
    }
}
