using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// One update: all images of a batch forward, the loss, all backward, SGD (1511.07247, section 4 and appendix A). Its device memory is allocated once,
/// for the largest batch.
/// </summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly Network network;
    private readonly Device device;
    private readonly TrainingOptions options;
    private readonly DeviceBuffer rows, losses, violating, gradient, workspace;
    private readonly float[] hostRows, hostLosses, hostViolating;

    public TrainingStep(Network network, TrainingOptions options)
    {
        this.network = network;
        this.options = options;
        device = network.Device;
        int tuples = options.TuplesPerBatch;
        rows = device.Allocate((long)tuples * (2 + options.NegativesPerTuple));
        losses = device.Allocate(tuples);
        violating = device.Allocate(tuples);
        gradient = device.Allocate((long)MaxImages(options) * network.PooledLength);
        workspace = device.Allocate(Operation(options.Loss).Workspace(device, new(tuples, 1, options.NegativesPerTuple, network.PooledLength, MaxImages(options), options.Margin)));
        hostRows = new float[rows.Length];
        hostLosses = new float[tuples];
        hostViolating = new float[tuples];
    }

    /// <summary>Images of the largest batch: 48 by default.</summary>
    public static int MaxImages(TrainingOptions options) => options.TuplesPerBatch * (2 + options.NegativesPerTuple);

    /// <summary>What an update found.</summary>
    /// <param name="LossSum">Over the batch's tuples.</param>
    /// <param name="Violating">Triplets that violate the margin in this forward pass.</param>
    public readonly record struct Outcome(double LossSum, int Violating);

    /// <param name="plan">Of the batch's image size, the batch's images in its input.</param>
    /// <param name="diverged">Makes the exception for a layer in which NaN or infinity appeared.</param>
    /// <exception cref="TrainingDiverged">Before any parameter was touched.</exception>
    public Outcome Run(NetworkPlan plan, TrainingBatch batch, float learningRate, Func<string, TrainingDiverged> diverged)
    {
        int tuples = batch.Tuples.Length, images = batch.Images.Length;
        MemoryMarshal.Cast<int, float>(batch.Rows).CopyTo(hostRows);
        device.Upload(hostRows.AsSpan(0, batch.Rows.Length), rows.View);
        var descriptors = plan.Forward(images);
        var shape = new RankingShape(tuples, 1, options.NegativesPerTuple, network.PooledLength, images, options.Margin);
        Operation(options.Loss).Run(device, shape, [descriptors, rows, losses, violating, gradient], workspace);
        device.Download(losses.View.SubView(0, tuples), hostLosses);
        device.Download(violating.View.SubView(0, tuples), hostViolating);
        double sum = 0;
        int triplets = 0;
        for (int t = 0; t < tuples; t++)
        {
            sum += hostLosses[t];
            triplets += BitConverter.SingleToInt32Bits(hostViolating[t]);
        }
        if (!double.IsFinite(sum))
            throw diverged(plan.FirstNonFinite() ?? "the loss");
        if (sum == 0)
            return new(0, 0);
        plan.Backward(images, gradient.View.SubView(0, (long)images * network.PooledLength));
        // On a GPU looking means copying all gradients to the host; there the next loss tells.
        if (device.IsHostMemory && plan.FirstNonFinite() is { } where)
            throw diverged(where);
        float scale = 1f / Math.Max(1, options.Normaliser switch
        {
            UpdateNormaliser.Violating => triplets,
            UpdateNormaliser.Selected => batch.Negatives,
            UpdateNormaliser.Tuples => tuples,
            _ => 1,
        });
        foreach (var p in plan.Trained)
            p.Descend(learningRate, options.Momentum, options.WeightDecay, scale);
        return new(sum, triplets);
    }

    /// <summary>Forward and backward of a full batch of whatever the plan's input holds, for timing; no parameter changes.</summary>
    public void Rehearse(NetworkPlan plan)
    {
        plan.Forward(plan.MaxImages);
        plan.Backward(plan.MaxImages, gradient.View.SubView(0, (long)plan.MaxImages * network.PooledLength));
        device.Synchronize();
    }

    private static Operation<RankingShape> Operation(LossKind loss) => loss switch
    {
        LossKind.Weak => RankingLoss.WeakOperation,
        LossKind.Triplet => RankingLoss.TripletOperation,
        _ => RankingLoss.ContrastiveOperation,
    };

    public void Dispose()
    {
        rows.Dispose();
        losses.Dispose();
        violating.Dispose();
        gradient.Dispose();
        workspace.Dispose();
    }
}
