using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>Updates of a network, as training makes them: forward, loss, backward, SGD.</summary>
internal sealed class ServedTraining : IServedWork
{
    private readonly Device device;
    private readonly string trainFrom, weights;
    private readonly string? maps;
    private readonly int height, width;
    private readonly TrainingBatch batch = TrainingWork.Batch();
    private Network? network;
    private NetworkPlan? plan;
    private TrainingStep? step;
    private float[] input = [];
    private float loss;

    /// <param name="maps">A file of what the frozen layers make of the images, raw fp32 [images, C, h, w], as the trunk cache keeps it; null: there are none.</param>
    public ServedTraining(Device device, string trainFrom, string weights, string? maps, int height, int width)
    {
        this.device = device;
        (this.trainFrom, this.weights, this.maps) = (trainFrom, weights, maps);
        (this.height, this.width) = (height, width);
    }

    /// <summary>Begins with the file's weights and no velocity.</summary>
    public void Take(string path)
    {
        Close();
        network = ComparedNetwork.Open(device, TrainingWork.Backbone, weights);
        plan = network.Plan(maps is null ? PlanPart.Whole : PlanPart.Learning, TrainingWork.Images, height, width, trainFrom, training: true);
        step = new(network, TrainingWork.Options(trainFrom));
        input = Rows(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(maps ?? path)), (int)plan.InputShape.Length, plan.InputShape.Channels);
        if (maps is null)
            Normalise(network.Settings.Preprocessing, input);
    }

    public void Run()
    {
        device.Upload(input, plan!.Input);
        step!.Start(plan, batch, TrainingWork.LearningRate, Diverged);
        loss = (float)step.Finish(Diverged).LossSum;
    }

    private TrainingDiverged Diverged(string where) => new(where, 0, weights);

    /// <summary>The loss before the update, then all parameters that learn as files hold them, in the order of the layers.</summary>
    public byte[] Answer() => MemoryMarshal.AsBytes<float>([loss, .. plan!.Trained.SelectMany(p => p.Read())]).ToArray();

    /// <summary>[images, C, N] as [images, N, C].</summary>
    private static float[] Rows(ReadOnlySpan<float> planes, int length, int channels)
    {
        var rows = new float[planes.Length];
        int count = length / channels;
        for (int i = 0; i < rows.Length; i++)
            rows[i] = planes[i / length * length + i % channels * count + i % length / channels];
        return rows;
    }

    private static void Normalise(Preprocessing preprocessing, Span<float> pixels)
    {
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (pixels[i] - preprocessing.Mean[i % 3]) * preprocessing.Scale[i % 3];
    }

    private void Close()
    {
        step?.Dispose();
        plan?.Dispose();
        network?.Dispose();
    }

    public void Dispose() => Close();
}
