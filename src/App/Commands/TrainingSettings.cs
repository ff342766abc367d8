using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.App.Commands;

/// <summary>Every setting of training as an option. Those that nobody gives stay what the job has.</summary>
internal sealed class TrainingSettings
{
    private readonly List<(Option Option, Func<ParseResult, TrainingOptions, TrainingOptions> Apply)> settings = [];

    public TrainingSettings(Command command)
    {
        var usual = new TrainingOptions();
        TrainingOptions scratch = TrainingDefaults.FromRandomWeights, few = TrainingDefaults.Few;
        string Usual(Func<TrainingOptions, object> value)
        {
            string Differently(string where, TrainingOptions options) => value(options).Equals(value(usual)) ? "" : string.Create(CultureInfo.InvariantCulture, $"; {where} {value(options)}");
            return string.Create(CultureInfo.InvariantCulture, $"[usually: {value(usual)}{Differently($"up to {TrainingDefaults.SmallSet} queries", few)}{Differently("from random weights", scratch)}]");
        }
        Value<string>("--train-from", "layer", "First layer that learns, such as conv4 or pool; all learn where it is left out.", (o, v) => o with { TrainFrom = v });
        Choice("--loss", "What is made smaller", LossKind.Weak, (o, v) => o with { Loss = v });
        Value<float>("--margin", "number", $"m of the loss and of mining. {Usual(o => o.Margin)}", (o, v) => o with { Margin = v });
        Value<int>("--epochs", "number", $"At most so many. {Usual(o => o.Epochs)}", (o, v) => o with { Epochs = v });
        Value<int>("--patience", "number", $"Epochs without a better recall@5 after which training stops; 0 never. {Usual(o => o.Patience)}", (o, v) => o with { Patience = v });
        Value<float>("--learning-rate", "number", $"Of the first epochs. {Usual(o => o.LearningRate)}", (o, v) => o with { LearningRate = v });
        Value<int>("--halve-every", "epochs", $"Halve the learning rate after so many epochs; 0 never. {Usual(o => o.HalveEvery)}", (o, v) => o with { HalveEvery = v });
        Value<float>("--momentum", "number", $"0 to 1. {Usual(o => o.Momentum)}", (o, v) => o with { Momentum = v });
        Value<float>("--weight-decay", "number", $"On all trained parameters. {Usual(o => o.WeightDecay)}", (o, v) => o with { WeightDecay = v });
        Value<int>("--tuples", "number", $"Tuples of one update. {Usual(o => o.TuplesPerBatch)}", (o, v) => o with { TuplesPerBatch = v });
        Value<int>("--negatives", "number", $"Most negatives of a tuple. {Usual(o => o.NegativesPerTuple)}", (o, v) => o with { NegativesPerTuple = v });
        Value<int>("--random-negatives", "number", $"Random negatives that a query is compared with. {Usual(o => o.RandomNegatives)}", (o, v) => o with { RandomNegatives = v });
        Value<int>("--remembered-negatives", "number", $"Hardest negatives kept for a query's next turn. {Usual(o => o.RememberedNegatives)}", (o, v) => o with { RememberedNegatives = v });
        Value<int>("--refresh", "queries", $"Queries between two refreshes of the descriptor cache. {Usual(o => o.RefreshInterval)}", (o, v) => o with { RefreshInterval = v });
        Flag("--fixed-refresh", "Do not double that interval when the learning rate halves; so it is from random weights.", (o, v) => o with { GrowRefreshInterval = !v });
        Choice("--normaliser", "What an update's gradient is divided by", UpdateNormaliser.Violating, (o, v) => o with { Normaliser = v });
        Flag("--flips", "Mirror tuples at random.", (o, v) => o with { Flips = v });
        Value<string>("--scales", "list", "Show each batch at one of these factors of the image size: 0.8,1,1.2.", (o, v) => o with { Scales = Numbers(v) });
        Flag("--swap-roles", "Let database images ask for queries too.", (o, v) => o with { SwapRoles = v });
        Flag("--database-asks", "Let database images ask for their place at another time; so it is from random weights, unless false stands behind.", (o, v) => o with { DatabaseAsks = v });
        Value<double>("--train-radius", "metres", $"Potential positives lie within. {Usual(o => o.Rules.TrainRadius)}", (o, v) => o with { Rules = o.Rules with { TrainRadius = v } });
        Value<double>("--negative-radius", "metres", $"Definite negatives lie beyond. {Usual(o => o.Rules.NegativeRadius)}", (o, v) => o with { Rules = o.Rules with { NegativeRadius = v } });
        Value<double>("--test-radius", "metres", $"Right answers at validation lie within. {Usual(o => o.Rules.TestRadius)}", (o, v) => o with { Rules = o.Rules with { TestRadius = v } });
        Flag("--same-time", "Take positives from the query's own capture time only (the Time Machine ablation).", (o, v) => o with { Rules = o.Rules with { TimeMachine = !v } });
        Value<int>("--validation-queries", "number", "Validate on so many queries only.", (o, v) => o with { ValidationQueries = v });
        Value<int>("--cluster-descriptors", "number", $"Local descriptors that clusters are sought among. {Usual(o => o.ClusterDescriptors)}", (o, v) => o with { ClusterDescriptors = v });
        Value<int>("--cluster-descriptors-per-image", "number", $"Most of them of one image. {Usual(o => o.ClusterDescriptorsPerImage)}", (o, v) => o with { ClusterDescriptorsPerImage = v });
        Choice("--trunk-cache", "Where to keep what layers before --train-from make of each image; results do not depend on it", TrunkCacheMode.Auto, (o, v) => o with { TrunkCache = v });
        Flag("--trunk-cache-fp16", "Keep it in 16 bits: half as large, and results differ a little.", (o, v) => o with { TrunkCacheHalf = v });
        Value<long>("--memory", "MB", "Refuse to start where more would be needed; default: what the machine has.", (o, v) => o with { MemoryLimit = v << 20 });
        foreach (var (option, _) in settings)
            command.Options.Add(option);
    }

    /// <summary>Names of the settings that were given.</summary>
    public IEnumerable<string> Given(ParseResult parsed) => settings.Where(s => IsGiven(parsed, s.Option)).Select(s => s.Option.Name);

    /// <summary>The job's options with what was given in their place.</summary>
    /// <exception cref="UsageException">They do not work together.</exception>
    public TrainingOptions Apply(ParseResult parsed, TrainingOptions options)
    {
        foreach (var (option, apply) in settings)
            if (IsGiven(parsed, option))
                options = apply(parsed, options);
        try
        {
            options.Check();
            return options;
        }
        catch (UserErrorException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private void Value<T>(string name, string helpName, string description, Func<TrainingOptions, T, TrainingOptions> set)
    {
        var option = new Option<T>(name) { Description = description, HelpName = helpName };
        settings.Add((option, (parsed, o) => set(o, parsed.GetRequiredValue(option))));
    }

    private void Flag(string name, string description, Func<TrainingOptions, bool, TrainingOptions> set)
    {
        var option = new Option<bool>(name) { Description = description };
        settings.Add((option, (parsed, o) => set(o, parsed.GetValue(option))));
    }

    private void Choice<T>(string name, string description, T usual, Func<TrainingOptions, T, TrainingOptions> set)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(n => n.ToLowerInvariant())];
        var option = new Option<string>(name) { Description = $"{description}: {string.Join(", ", names)}. [usually: {usual.ToString().ToLowerInvariant()}]", HelpName = "name" };
        option.AcceptOnlyFromAmong(names);
        settings.Add((option, (parsed, o) => set(o, Enum.Parse<T>(parsed.GetRequiredValue(option), ignoreCase: true))));
    }

    private static float[] Numbers(string list)
    {
        try
        {
            return [.. list.Split(',').Select(part => float.Parse(part, CultureInfo.InvariantCulture))];
        }
        catch (FormatException)
        {
            throw new UsageException($"--scales '{list}' must be numbers with commas between, such as 0.8,1,1.2.");
        }
    }
}
