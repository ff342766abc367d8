using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>How a run ended. The network then holds its best epoch's parameters.</summary>
/// <param name="BestEpoch">0 where no epoch beat the network as it came.</param>
/// <param name="History">Every epoch, epoch 0 first.</param>
/// <param name="Best">The best epoch's result on the validation set.</param>
/// <param name="StoppedEarly">Recall@5 had not improved for as many epochs as the options' patience.</param>
public sealed record TrainingResult(int BestEpoch, IReadOnlyList<EpochSummary> History, RecallReport Best, bool StoppedEarly, TrainingNeeds Needs);
