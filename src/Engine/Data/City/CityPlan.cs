namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>One picture of the city: its place in the world, its view, its role.</summary>
/// <param name="Split">Quarter of the town.</param>
/// <param name="IsQuery">Query or database.</param>
/// <param name="Easting">UTM metres.</param>
/// <param name="Northing">UTM metres.</param>
/// <param name="Panorama">Pictures of one panorama share it.</param>
/// <param name="Tile">Number of the picture within its panorama.</param>
public sealed record CityShot(CitySplit Split, bool IsQuery, double Easting, double Northing, string Panorama, int Tile, CityView View);

/// <summary>
/// Which pictures make up the data set. The database is driven mostly by day, each street on few dates; queries come from dates of their
/// own, some metres aside, turned by up to ten degrees, from a pedestrian's or a driver's height, with another exposure. With
/// <see cref="CityOptions.SharedDrives"/> the database also has a picture of each query's drive, some metres farther on.
/// </summary>
public static class CityPlan
{
    /// <summary>UTM zone of the town, which exists nowhere.</summary>
    public const int Zone = 32;

    public const char ZoneLetter = 'U';

    /// <summary>South-west corner of the train quarter in UTM metres.</summary>
    public const double Easting = 512000, Northing = 5406000;

    private static readonly CityWeather[] DatabaseDays = [CityWeather.Clear, CityWeather.Overcast, CityWeather.Clear, CityWeather.LowSun, CityWeather.Clear, CityWeather.Overcast, CityWeather.Overcast];
    private static readonly string[] DatabaseDates = ["20180612_1115", "20181023_1340", "20190407_1020", "20190915_1755", "20200721_1405", "20210209_1210", "20211110_1130"];
    private static readonly CityWeather[] QueryDays =
    [
        CityWeather.Clear, CityWeather.Overcast, CityWeather.Snow, CityWeather.Clear, CityWeather.Fog, CityWeather.LowSun, CityWeather.Night, CityWeather.Rain,
        CityWeather.Overcast, CityWeather.Dusk, CityWeather.LowSun, CityWeather.RainyNight, CityWeather.Clear, CityWeather.Overcast,
    ];

    private static readonly string[] QueryDates =
    [
        "20221018_1430", "20220609_1015", "20230118_1045", "20220706_1250", "20221122_0850", "20230502_1910", "20230126_2140", "20230324_1610",
        "20221205_1330", "20220930_1925", "20220829_1815", "20221029_2230", "20230414_1205", "20230817_0940",
    ];

    /// <summary>Drives that the database of a quarter comes from.</summary>
    public static IReadOnlyList<CityDrive> DatabaseDrives(CitySplit split) => [.. DatabaseDates.Select((date, i) => new CityDrive(Shift(date, split), DatabaseDays[i]))];

    /// <summary>Drives that the queries of a quarter come from; never one of <see cref="DatabaseDrives"/>.</summary>
    public static IReadOnlyList<CityDrive> QueryDrives(CitySplit split) => [.. QueryDates.Select((date, i) => new CityDrive(Shift(date, split), QueryDays[i]))];

    /// <summary>Every picture of the city, database before queries.</summary>
    public static List<CityShot> Shots(CityOptions options, CityRenderer renderer)
    {
        var shots = new List<CityShot>();
        foreach (var split in Enum.GetValues<CitySplit>())
        {
            var quarter = renderer.QuarterOf(split);
            var places = quarter.Walk(options.Spacing).Take(options.Places(split)).ToList();
            var dice = new Dice(Dice.Mix(options.Seed, 0x5907u + (uint)split));
            Database(shots, split, places, dice);
            Queries(shots, options, split, places, dice[1]);
        }
        return shots;
    }

    private static void Database(List<CityShot> shots, CitySplit split, List<(Street Street, float S)> places, Dice dice)
    {
        var drives = DatabaseDrives(split);
        // The Time Machine: a place is known from two dates.
        const int times = 2;
        for (var p = 0; p < places.Count; p++)
        {
            var (street, s) = places[p];
            var road = dice[1000 + street.Id];
            int first = road.Pick(0, drives.Count), step = 1 + road.Pick(1, drives.Count - 1);
            for (var time = 0; time < times; time++)
            {
                var drive = drives[(first + time * step) % drives.Count];
                var own = dice[100000 + p * 8 + time];
                // Another drive passes half a metre aside and stops a little earlier or later.
                var at = street.At(s + own.Range(0, -0.8f, 0.8f), 1.6f + own.Range(1, -0.4f, 0.4f));
                var ahead = Plain.DegreesOf(street.Along);
                for (var tile = 0; tile < 4; tile++)
                    Add(shots, split, false, at, 2.3f, ahead + 90 * tile, drive, own[tile].Seed, $"{Letter(split)}d{p:0000}t{time}", tile);
            }
        }
    }

    private static void Queries(List<CityShot> shots, CityOptions options, CitySplit split, List<(Street Street, float S)> places, Dice dice)
    {
        var drives = QueryDrives(split);
        var count = options.Queries(split);
        var asking = new List<CityShot>();
        for (var q = 0; q < count; q++)
        {
            var own = dice[q];
            // Spread over all places; a second round meets each of them again in another direction and on another date.
            var p = (int)((long)q * places.Count / count);
            var (street, s) = places[p];
            var tile = own.Pick(0, 4);
            var drive = drives[own.Pick(1, drives.Count)];
            var along = s + own.Range(2, -1.5f, 1.5f) + own.Range(8, -1.5f, 1.5f);
            var lateral = 1.6f + own.Range(3, -1.4f, 1f);
            var heading = Plain.DegreesOf(street.Along) + 90 * tile + own.Pick(4, 9) + own.Pick(9, 9) - 8;
            float height = own.Chance(5, 0.5f) ? 1.65f : 2.1f, spread = own.Range(6, 0.86f, 0.94f), horizon = own.Range(7, 0.625f, 0.655f);
            Add(asking, split, true, street.At(along, lateral), height, heading, drive, own.Seed, $"{Letter(split)}q{q:0000}", 0, spread, horizon);
            if (options.SharedDrives)
            {
                // The same camera, half a second later: farther from its query than a query may be from itself, nearer than a positive must be. Towards the street's
                // middle, where it stays between the houses.
                var on = own.Range(10, 3, 7) * (s < street.Length * 0.5f ? 1 : -1);
                Add(shots, split, false, street.At(along + on, lateral), height, heading, drive, own[0].Seed, $"{Letter(split)}s{q:0000}", 0, spread, horizon);
            }
        }
        shots.AddRange(asking);
    }

    private static void Add(List<CityShot> shots, CitySplit split, bool query, Flat at, float height, int heading, CityDrive drive, uint seed, string panorama, int tile, float spread = 0.9f, float horizon = 0.64f)
    {
        // Centimetres, as the file names have them: the picture is taken exactly where its name says.
        float x = Plain.Floor(at.X * 100 + 0.5f) / 100f, y = Plain.Floor(at.Y * 100 + 0.5f) / 100f;
        var view = new CityView(split, x, y, height, (heading % 360 + 360) % 360, drive, seed) { Spread = spread, Horizon = horizon };
        shots.Add(new CityShot(split, query, Easting + (split == CitySplit.Val ? 4000 : 0) + x, Northing + (split == CitySplit.Test ? 4000 : 0) + y, panorama, tile, view));
    }

    private static char Letter(CitySplit split) => split switch { CitySplit.Train => 'a', CitySplit.Val => 'b', _ => 'c' };

    /// <summary>The same kinds of days in every quarter, but not the same days: some days later in the month.</summary>
    private static string Shift(string date, CitySplit split)
    {
        var day = (date[6] - '0') * 10 + date[7] - '0';
        day = (day - 1 + 3 * (int)split) % 28 + 1;
        return $"{date[..6]}{day:00}{date[8..]}";
    }
}
