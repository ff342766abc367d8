using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>Where a run keeps the maps of its frozen layers.</summary>
/// <param name="Mode">Never <see cref="TrunkCacheMode.Auto"/>.</param>
/// <param name="Line">What the user is told before the run; null where there is nothing to tell.</param>
internal readonly record struct TrunkCacheChoice(TrunkCacheMode Mode, string? Line)
{
    /// <param name="memory">Asked for sizes only where a cache is possible.</param>
    /// <param name="available">Bytes of memory that the run may take.</param>
    /// <param name="folder">Whose disk it is.</param>
    /// <exception cref="UserErrorException">A cache was asked for that is not possible.</exception>
    public static TrunkCacheChoice Make(Network network, TrainingOptions options, TrainingMemory memory, long available, string folder)
    {
        bool asked = options.TrunkCache is TrunkCacheMode.Memory or TrunkCacheMode.Disk;
        if (options.TrunkCache == TrunkCacheMode.Off)
            return new(TrunkCacheMode.Off, null);
        if (network.FirstLearning(options.TrainFrom) == 0)
            return asked || options.TrunkCacheHalf
                ? throw new UserErrorException("The trunk cache keeps what frozen layers compute, and here every layer learns: leave it out, or train from a later layer.")
                : new(TrunkCacheMode.Off, null);
        if (options.Flips || options.Scales.Count > 0)
        {
            string augmentation = options.Flips ? "mirrored tuples" : "batches of other scales";
            return asked || options.TrunkCacheHalf
                ? throw new UserErrorException($"The trunk cache keeps what frozen layers compute of each image as it is, and {augmentation} are other images: leave one of the two out.")
                : new(TrunkCacheMode.Off, $"Trunk cache: off, since {augmentation} are not the images that it would hold");
        }
        long bytes = memory.Maps, free = FreeBytes(folder);
        string held = $"{Megabytes(bytes)} MB of {(options.TrunkCacheHalf ? "fp16" : "fp32")} maps before {network.Layers[network.FirstLearning(options.TrainFrom)]}";
        if (options.TrunkCache == TrunkCacheMode.Memory || (!asked && memory.Needed(TrunkCacheMode.Memory) <= Math.Min(available, UnusedMemory.Bytes) / 4 * 3))
            return new(TrunkCacheMode.Memory, $"Trunk cache: in memory, {held}");
        // A disk that is full to the last byte stops more than this run.
        if (bytes <= free / 10 * 9 && (asked || memory.Needed(TrunkCacheMode.Disk) <= available))
            return new(TrunkCacheMode.Disk, $"Trunk cache: on disk, {held} in {folder}");
        return asked
            ? throw new UserErrorException($"The trunk cache needs {Megabytes(bytes)} MB in {folder} and {Megabytes(free)} MB are free there: free some, or give --trunk-cache off.")
            : new(TrunkCacheMode.Off, $"Trunk cache: off, since {held} fit well neither in memory nor in the {Megabytes(free)} MB that are free in {folder}");
    }

    private static long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (IOException)
        {
            // A file system that does not say; writing will tell.
            return long.MaxValue;
        }
    }

    private static long Megabytes(long bytes) => (bytes + (1 << 20) - 1) >> 20;
}
