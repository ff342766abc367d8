namespace IlgpuNetVlad.Engine.Reports;

/// <summary>What was known at one moment of a training run; null where it was not measured.</summary>
/// <param name="Epoch">Epochs done; fractions within one.</param>
/// <param name="Loss">Mean loss since the point before.</param>
/// <param name="RecallAt1">On the validation set, 0…1, and so the others.</param>
public sealed record TrainingPoint(double Epoch, double? Loss = null, double? RecallAt1 = null, double? RecallAt5 = null, double? RecallAt10 = null);
