using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.App.Commands;

/// <summary>Options that say which network is meant, beyond its weights.</summary>
internal sealed class NetworkOptions
{
    private readonly Option<string?> backbone = new("--backbone") { Description = $"The trunk: {string.Join(", ", Backbone.All.Select(b => b.Name))}; needed where the weights do not say.", HelpName = "name" };
    private readonly Option<string?> pool = new("--pool") { Description = $"How a map becomes a descriptor: {string.Join(", ", PoolingNames.All)}.", HelpName = "name" };
    private readonly Option<int?> clusters = new("--clusters") { Description = "K of NetVLAD; 64 where nothing else is said.", HelpName = "number" };
    private readonly Option<bool> keepRelu = new("--keep-relu") { Description = "Keep the ReLU of the last convolution." };
    private readonly Option<string?> floor = new("--floor") { Description = "The least norm: clamp is max(‖v‖, 1e-12), soft is √(‖v‖² + 1e-12).", HelpName = "clamp|soft" };
    private readonly Option<string?> rounding = new("--pool-rounding") { Description = "What becomes of the trunk's pooling windows at the border: floor drops them, ceil cuts them.", HelpName = "floor|ceil" };
    private readonly Option<float?> responseOffset = new("--response-offset") { Description = "k of local response normalisation (alexnet-caffe): 1 or 2.", HelpName = "number" };
    private readonly Option<string?> resize = new("--resize") { Description = "Image size: native, shorter:480, longest:1024, or 480x640 (height first); default: what the weights were made for.", HelpName = "size" };

    public NetworkOptions(Command command)
    {
        backbone.AcceptOnlyFromAmong([.. Backbone.All.Select(b => b.Name)]);
        pool.AcceptOnlyFromAmong([.. PoolingNames.All]);
        floor.AcceptOnlyFromAmong("clamp", "soft");
        rounding.AcceptOnlyFromAmong("floor", "ceil");
        clusters.MustBe(n => n >= 1, "1 or more");
        resize.MustBeSize();
        foreach (var option in All)
            command.Options.Add(option);
    }

    public IReadOnlyList<Option> All => [backbone, pool, clusters, keepRelu, floor, rounding, responseOffset, resize];

    public NetworkRequest Request(ParseResult parsed, string? weights) => new()
    {
        Weights = weights is null ? null : Path.GetFullPath(weights),
        Backbone = parsed.GetValue(backbone),
        Pooling = parsed.GetValue(pool) is { } name ? PoolingNames.Parse(name) : null,
        Clusters = parsed.GetValue(clusters),
        KeepRelu = parsed.GetValue(keepRelu) ? true : null,
        SoftFloor = parsed.GetValue(floor) is { } least ? least == "soft" : null,
        CeilPooling = parsed.GetValue(rounding) is { } rule ? rule == "ceil" : null,
        ResponseOffset = parsed.GetValue(responseOffset),
        Resize = parsed.GetValue(resize),
    };
}
