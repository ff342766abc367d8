using System.Globalization;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>What a run will take, known before it starts.</summary>
/// <param name="Network">Bytes of parameters, their gradients and velocities, and the plans' activations and workspace.</param>
/// <param name="Descriptors">Bytes of the descriptor cache and of the validation set's descriptors, or of the sample that clusters are sought in, if that is larger.</param>
/// <param name="Images">Bytes of decoded images and of batches on their way.</param>
/// <param name="Maps">Bytes of the frozen-trunk cache in memory, and of making it beyond what comes after.</param>
/// <param name="Runtime">Bytes of the runtime itself.</param>
/// <param name="SecondsPerBatch">One forward and backward of a full batch.</param>
/// <param name="SecondsPerEpoch">Refreshes, batches at most, and validation.</param>
public sealed record TrainingNeeds(long Network, long Descriptors, long Images, long Maps, long Runtime, double SecondsPerBatch, double SecondsPerEpoch)
{
    /// <summary>All bytes, near the process's peak resident memory on the processor; on a GPU the network's part lies there.</summary>
    public long Bytes => Network + Descriptors + Images + Maps + Runtime;

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{(Bytes + (1 << 20) - 1) >> 20} MB of memory, {SecondsPerBatch:0.00} s a full batch, at most {SecondsPerEpoch:0} s an epoch");
}
