using System.Globalization;
using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// That a GPU's kernels agreed with the processor's, kept beside the compiled ones (<see cref="KeptKernels"/>): comparing the whole table takes seconds, too long for each start. It holds for one build of
/// this library and of ILGPU, one chip and one driver, and for <see cref="MostAge"/>. A GPU whose kernels do not agree is compared anew each time.
/// </summary>
public static partial class KeptCheck
{
    /// <summary>So long it is believed.</summary>
    public static readonly TimeSpan MostAge = TimeSpan.FromDays(30);

    /// <summary>How many checks agreed, and when; null where nothing is kept that holds.</summary>
    public static (int Checks, DateTime Utc)? Find(Device device)
    {
        try
        {
            if (Place(device) is not { } place || !File.Exists(place) || Line().Match(File.ReadAllText(place)) is not { Success: true } line
                || !DateTime.TryParseExact(line.Groups[2].Value, "u", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var utc))
                return null;
            var age = DateTime.UtcNow - utc;
            return age >= TimeSpan.Zero && age < MostAge ? (int.Parse(line.Groups[1].ValueSpan, CultureInfo.InvariantCulture), utc) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps that these checks agreed, or forgets it where one did not.</summary>
    public static void Keep(Device device, IReadOnlyCollection<DeviceCheckRow> checks)
    {
        if (Place(device) is not { } place)
            return;
        if (checks.Count > 0 && checks.All(c => c.Ok))
            KeptKernels.Write(place, string.Create(CultureInfo.InvariantCulture, $"{checks.Count} checks agreed on {DateTime.UtcNow:u}\n"));
        else
            KeptKernels.Remove(place);
    }

    /// <summary>Null where nothing is kept: without a folder, and of no GPU.</summary>
    private static string? Place(Device device)
        => KeptKernels.Folder is { } folder && device is { Target: { } target, Identity: { } identity }
            ? Path.Combine(KeptKernels.BuildFolder(folder, target), $"agrees-{KeptKernels.Digest(identity)[..16]}.txt") : null;

    [GeneratedRegex(@"\A([0-9]{1,9}) checks agreed on ([^\n]+)\n\z")]
    private static partial Regex Line();
}
