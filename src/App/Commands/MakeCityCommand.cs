using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>data make-city</c></summary>
internal sealed class MakeCityCommand : AppCommand
{
    private static readonly CityOptions Default = new();

    private readonly Argument<string> folder = new("folder") { Description = "Where to put it.", DefaultValueFactory = _ => "city" };
    private readonly Option<int> width = Number("--width", "Pixels from left to right.", Default.Width);
    private readonly Option<int> height = Number("--height", "Pixels from top to bottom.", Default.Height);
    private readonly Option<int> trainPlaces = Number("--train-places", "Panoramas in the training quarter.", Default.TrainPlaces);
    private readonly Option<int> valPlaces = Number("--val-places", "Panoramas in the validation quarter.", Default.ValPlaces);
    private readonly Option<int> testPlaces = Number("--test-places", "Panoramas in the test quarter.", Default.TestPlaces);
    private readonly Option<int> trainQueries = Number("--train-queries", "Queries in the training quarter.", Default.TrainQueries);
    private readonly Option<int> valQueries = Number("--val-queries", "Queries in the validation quarter.", Default.ValQueries);
    private readonly Option<int> testQueries = Number("--test-queries", "Queries in the test quarter.", Default.TestQueries);
    private readonly Option<bool> sharedDrives = new("--shared-drives") { Description = "Also a database picture of each query's own drive, some metres on: training may then take positives of the query's own time (train --same-time)." };

    public MakeCityCommand()
        : base(
            "make-city",
            "Renders a small town from a seed: streets at several dates, by day and night, with cars and people in the way.",
            "netvlad data make-city city --seed 1",
            "netvlad data make-city drives --seed 1 --shared-drives",
            "netvlad data make-city small --train-places 20 --val-places 10 --test-places 10")
    {
        Arguments.Add(folder);
        foreach (var option in (Option[])[width, height, trainPlaces, valPlaces, testPlaces, trainQueries, valQueries, testQueries, sharedDrives])
            Options.Add(option);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        if (session.Seed > uint.MaxValue)
            throw new UserErrorException($"The seed {session.Seed} is too large for a city: give 0 to {uint.MaxValue}.");
        var options = new CityOptions
        {
            Seed = (uint)session.Seed,
            Width = parsed.GetValue(width),
            Height = parsed.GetValue(height),
            TrainPlaces = parsed.GetValue(trainPlaces),
            ValPlaces = parsed.GetValue(valPlaces),
            TestPlaces = parsed.GetValue(testPlaces),
            TrainQueries = parsed.GetValue(trainQueries),
            ValQueries = parsed.GetValue(valQueries),
            TestQueries = parsed.GetValue(testQueries),
            SharedDrives = parsed.GetValue(sharedDrives),
        };
        try
        {
            options.Check();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new UsageException($"No such city can be made: {e.Message.Split(" (Parameter")[0]}.");
        }
        string path = Path.GetFullPath(parsed.GetValue(folder)!);
        session.Progress.Begin("Rendering the city", 0, "pictures");
        int images = CityWriter.Write(path, options, (done, _) => session.Progress.Advance(done), session.Token);
        session.Result(new { folder = path, options, images }, console =>
        {
            console.WriteLine($"{images} pictures of {options.Width}×{options.Height} in {path}");
            console.WriteLine("Next:");
            console.WriteLine($"  {Session.Program} data inspect {path} --split train");
        });
    }

    private static Option<int> Number(string name, string description, int value)
        => new(name) { Description = description, HelpName = "number", DefaultValueFactory = _ => value };
}
