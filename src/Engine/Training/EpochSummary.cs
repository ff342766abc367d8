namespace IlgpuNetVlad.Engine.Training;

/// <summary>What one epoch did.</summary>
/// <param name="Epoch">From 1; 0 is the network before training.</param>
/// <param name="Loss">Mean of its tuples' losses; null where there was none.</param>
/// <param name="Tuples">Tuples trained on.</param>
/// <param name="Skipped">Anchors without a violating negative.</param>
/// <param name="Recalls">Recall on the validation set by depth, 0 … 1.</param>
public sealed record EpochSummary(int Epoch, double? Loss, int Tuples, int Skipped, float LearningRate, SortedDictionary<int, double> Recalls);
