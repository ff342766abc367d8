using System.Globalization;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>A line of <see cref="GpuProgress"/>: a comparison or a time that begins, or what came of it; or what device it is of.</summary>
/// <param name="Begun">Whether it begins: what it holds stands if nothing more is said.</param>
/// <param name="Device">In words; only where a process begins.</param>
/// <param name="Cases">Comparisons that are to be made on it.</param>
internal sealed record GpuLine(bool Begun = false, DeviceCheckRow? Check = null, GpuRow? Time = null, string? Device = null, int Cases = 0)
{
    /// <summary>Of what it speaks; null where it names the device.</summary>
    [JsonIgnore]
    public string? What => Check is { } c ? $"{c.Operation} {c.Variant} {c.Problem}" : Time is { } t ? $"{t.What}, {t.How}, {t.Images}" : null;

    /// <summary>It, failed for a reason.</summary>
    public GpuLine Failed(string why) => new(Check: Check is null ? null : Check with { Message = why }, Time: Time is null ? null : Time with { Problem = why });

    /// <summary>For people; null where there is nothing to say.</summary>
    [JsonIgnore]
    public string? Printed => Check is { } c
        ? c.Ok ? null : string.Create(CultureInfo.InvariantCulture, $"WRONG: {What}: {c.Message ?? $"error {c.Error:0.0e0}, admitted {c.Tolerance:0.0e0}"}")
        : Time is { } t ? GpuReport.Line(t) : null;
}
