namespace IlgpuNetVlad.Engine.Training;

/// <summary>The loss or a gradient became NaN or infinite; the last checkpoint on disk is from before.</summary>
public sealed class TrainingDiverged : UserErrorException
{
    /// <param name="where">Layer or parameter in which it appeared first.</param>
    /// <param name="step">Update that was being made, from 1.</param>
    public TrainingDiverged(string where, long step, string checkpoint)
        : base($"Training diverged at step {step}: {where} holds NaN or infinity; the last good state is {checkpoint}; lower the learning rate and train again.")
    {
        Where = where;
        Step = step;
    }

    public string Where { get; }
    public long Step { get; }
}
