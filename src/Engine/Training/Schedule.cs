namespace IlgpuNetVlad.Engine.Training;

/// <summary>Learning rate and refresh interval of each epoch (1511.07247, appendix A): the one halves as the other doubles.</summary>
public static class Schedule
{
    /// <param name="epoch">From 1.</param>
    public static float LearningRate(TrainingOptions options, int epoch) => options.LearningRate * MathF.ScaleB(1, -Halvings(options, epoch));

    /// <summary>Queries between two refreshes of the descriptor cache.</summary>
    /// <param name="epoch">From 1.</param>
    public static int RefreshInterval(TrainingOptions options, int epoch)
        => options.GrowRefreshInterval
            ? (int)Math.Min(int.MaxValue, (long)options.RefreshInterval << Math.Min(30, Halvings(options, epoch)))
            : options.RefreshInterval;

    private static int Halvings(TrainingOptions options, int epoch) => options.HalveEvery == 0 ? 0 : (epoch - 1) / options.HalveEvery;
}
