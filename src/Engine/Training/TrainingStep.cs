using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// One update: all images of a batch forward, the loss, all backward, SGD (1511.07247, section 4 and appendix A). Its device memory is allocated once,
/// for the largest batch. <see cref="Start"/> enqueues all of it and waits for nothing: what the gradient is scaled by, or that there is no update, is decided on the device
/// (<see cref="UpdateScale"/>). <see cref="Finish"/> tells what an update found; a device that works beside the host may have the next one by then, so that it never has nothing to do.
/// </summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly Network network;
    private readonly Device device;
    private readonly TrainingOptions options;
    private readonly DeviceBuffer rows, losses, violating, scale, gradient, workspace;
    private readonly Exchange[] exchanges;
    private readonly Queue<Exchange> underWay;
    private int next;

    public TrainingStep(Network network, TrainingOptions options)
    {
        this.network = network;
        this.options = options;
        device = network.Device;
        int tuples = options.TuplesPerBatch;
        rows = device.Allocate((long)tuples * (2 + options.NegativesPerTuple));
        losses = device.Allocate(tuples);
        violating = device.Allocate(tuples);
        scale = device.Allocate(1);
        gradient = device.Allocate((long)MaxImages(options) * network.PooledLength);
        workspace = device.Allocate(Operation(options.Loss).Workspace(device, new(tuples, 1, options.NegativesPerTuple, network.PooledLength, MaxImages(options), options.Margin)));
        exchanges = [.. Enumerable.Range(0, device.WorksBesideHost ? 2 : 1).Select(_ => new Exchange(device, (int)rows.Length, tuples))];
        underWay = new(exchanges.Length);
    }

    /// <summary>Images of the largest batch: 48 by default.</summary>
    public static int MaxImages(TrainingOptions options) => options.TuplesPerBatch * (2 + options.NegativesPerTuple);

    /// <summary>Updates that were started and are not finished.</summary>
    public int UnderWay => underWay.Count;

    /// <summary>Whether one must be finished before the next is started.</summary>
    public bool IsFull => UnderWay == exchanges.Length;

    /// <summary>What an update found.</summary>
    /// <param name="Tuples">Of its batch.</param>
    /// <param name="Negatives">Of its batch, selected by mining.</param>
    /// <param name="LossSum">Over the batch's tuples.</param>
    /// <param name="Violating">Triplets that violate the margin in this forward pass.</param>
    public readonly record struct Outcome(int Tuples, int Negatives, double LossSum, int Violating);

    /// <param name="plan">Of the batch's image size, the batch's images in its input.</param>
    /// <param name="diverged">Makes the exception for a layer in which NaN or infinity appeared.</param>
    /// <exception cref="TrainingDiverged">Before any parameter was touched, where the host looks at gradients: not on a GPU, where that would mean waiting and copying all of them.</exception>
    public void Start(NetworkPlan plan, TrainingBatch batch, float learningRate, Func<string, TrainingDiverged> diverged)
    {
        if (IsFull)
            throw new InvalidOperationException($"{UnderWay} updates are under way: finish one first.");
        using var range = device.Range("training step");
        var exchange = exchanges[next];
        next = (next + 1) % exchanges.Length;
        (exchange.Plan, exchange.Tuples, exchange.Negatives) = (plan, batch.Tuples.Length, batch.Negatives);
        int tuples = batch.Tuples.Length, images = batch.Images.Length;
        MemoryMarshal.Cast<int, float>(batch.Rows).CopyTo(exchange.Rows.Span);
        device.Kernels.Upload(exchange.Rows, batch.Rows.Length, rows);
        var descriptors = plan.Forward(images);
        using (device.Range("loss"))
        {
            var shape = new RankingShape(tuples, 1, options.NegativesPerTuple, network.PooledLength, images, options.Margin);
            Operation(options.Loss).Run(device, shape, [descriptors, rows, losses, violating, gradient], workspace);
            UpdateScale.Run(device, new(tuples, Divisor(batch)), losses, violating, scale);
            device.Kernels.Download(losses.View.SubView(0, tuples), exchange.Losses);
            device.Kernels.Download(violating.View.SubView(0, tuples), exchange.Violating);
            device.Kernels.Set(exchange.Known);
        }
        underWay.Enqueue(exchange);
        // Here the loss is known by now: no way back where it would change nothing.
        if (!device.WorksBesideHost && exchange.LossSum() is 0 or double.NaN or double.PositiveInfinity)
            return;
        plan.Backward(images, gradient.View.SubView(0, (long)images * network.PooledLength));
        if (!device.WorksBesideHost && plan.FirstNonFinite() is { } where)
            throw diverged(where);
        using var update = device.Range("update");
        foreach (var p in plan.Trained)
            p.Descend(learningRate, options.Momentum, options.WeightDecay, scale);
    }

    /// <summary>What the first update under way found, waited for if need be.</summary>
    /// <param name="diverged">As of <see cref="Start"/>.</param>
    /// <exception cref="TrainingDiverged">No parameter was touched since, and none will be.</exception>
    public Outcome Finish(Func<string, TrainingDiverged> diverged)
    {
        var exchange = underWay.Dequeue();
        exchange.Known.Wait();
        double sum = exchange.LossSum();
        if (!double.IsFinite(sum))
            throw diverged(exchange.Plan!.FirstNonFinite() ?? "the loss");
        return new(exchange.Tuples, exchange.Negatives, sum, exchange.ViolatingCount());
    }

    /// <summary>Forward and backward of a full batch of whatever the plan's input holds, for timing; no parameter changes.</summary>
    public void Rehearse(NetworkPlan plan)
    {
        plan.Forward(plan.MaxImages);
        plan.Backward(plan.MaxImages, gradient.View.SubView(0, (long)plan.MaxImages * network.PooledLength));
        device.Synchronize();
    }

    /// <summary>0 where the loss itself will tell.</summary>
    private float Divisor(TrainingBatch batch) => options.Normaliser switch
    {
        UpdateNormaliser.Violating => 0,
        UpdateNormaliser.Selected => batch.Negatives,
        UpdateNormaliser.Tuples => batch.Tuples.Length,
        _ => 1,
    };

    private static Operation<RankingShape> Operation(LossKind loss) => loss switch
    {
        LossKind.Weak => RankingLoss.WeakOperation,
        LossKind.Triplet => RankingLoss.TripletOperation,
        _ => RankingLoss.ContrastiveOperation,
    };

    public void Dispose()
    {
        // What is under way still writes to the host.
        foreach (var left in underWay)
            left.Known.Wait();
        foreach (var exchange in exchanges)
            exchange.Dispose();
        rows.Dispose();
        losses.Dispose();
        violating.Dispose();
        scale.Dispose();
        gradient.Dispose();
        workspace.Dispose();
    }

    /// <summary>What one update takes from the host and brings back.</summary>
    private sealed class Exchange(Device device, int rows, int tuples) : IDisposable
    {
        public HostBuffer Rows { get; } = device.AllocateHost(rows);
        public HostBuffer Losses { get; } = device.AllocateHost(tuples);
        public HostBuffer Violating { get; } = device.AllocateHost(tuples);

        /// <summary>Behind the copies of loss and violating triplets, which come behind that of the rows.</summary>
        public StreamMark Known { get; } = device.CreateMark();

        public NetworkPlan? Plan { get; set; }
        public int Tuples { get; set; }
        public int Negatives { get; set; }

        public double LossSum()
        {
            double sum = 0;
            foreach (float loss in Losses.Span[..Tuples])
                sum += loss;
            return sum;
        }

        public int ViolatingCount()
        {
            int count = 0;
            foreach (int violating in MemoryMarshal.Cast<float, int>(Violating.Span[..Tuples]))
                count += violating;
            return count;
        }

        public void Dispose()
        {
            Rows.Dispose();
            Losses.Dispose();
            Violating.Dispose();
            Known.Dispose();
        }
    }
}
