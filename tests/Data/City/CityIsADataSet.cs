using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IlgpuNetVlad.Engine.Data.City;

namespace IlgpuNetVlad.Tests.Data.City;

/// <summary>The plan of the city keeps the rules of the field: splits apart, positives at hand, queries from dates of their own.</summary>
public sealed class CityIsADataSet
{
    private static readonly CityOptions Options = new();
    private static readonly List<CityShot> Shots = CityPlan.Shots(Options, new CityRenderer(Options));

    private static IEnumerable<CityShot> Of(CitySplit split, bool queries) => Shots.Where(s => s.Split == split && s.IsQuery == queries);

    private static double Distance(CityShot a, CityShot b)
        => Math.Sqrt((a.Easting - b.Easting) * (a.Easting - b.Easting) + (a.Northing - b.Northing) * (a.Northing - b.Northing));

    [Test]
    public void HasTheSizesOfItsOptions()
    {
        foreach (var split in Enum.GetValues<CitySplit>())
        {
            Assert.That(Of(split, false).Count(), Is.EqualTo(Options.Places(split) * 8));
            Assert.That(Of(split, true).Count(), Is.EqualTo(Options.Queries(split)));
        }
        Assert.That(Of(CitySplit.Test, true).Count(), Is.GreaterThanOrEqualTo(400));
        Assert.That(Shots, Has.Count.LessThanOrEqualTo(6000), "a newcomer waits for them");
    }

    [TestCase(CitySplit.Train), TestCase(CitySplit.Val), TestCase(CitySplit.Test)]
    public void EveryQueryHasPositives(CitySplit split)
    {
        var database = Of(split, false).ToList();
        foreach (var query in Of(split, true))
        {
            Assert.That(database.Count(d => Distance(d, query) <= 10 && d.View.Drive.Timestamp != query.View.Drive.Timestamp), Is.GreaterThanOrEqualTo(4), query.Panorama);
            Assert.That(database.Count(d => Distance(d, query) <= 25), Is.InRange(8, database.Count / 4), query.Panorama);
        }
    }

    [Test]
    public void SplitsLieKilometresApart()
    {
        foreach (var a in Shots.Where(s => s.Tile == 0))
            foreach (var b in Shots.Where(s => s.Tile == 0 && s.Split > a.Split))
                if (Distance(a, b) < 1000)
                    Assert.Fail($"{a.Panorama} and {b.Panorama} are {Distance(a, b)} m apart");
    }

    [Test]
    public void QueriesComeFromDatesOfTheirOwn()
    {
        foreach (var split in Enum.GetValues<CitySplit>())
            Assert.That(Of(split, true).Select(s => s.View.Drive.Timestamp).Intersect(Of(split, false).Select(s => s.View.Drive.Timestamp)), Is.Empty);
    }

    [Test]
    public void PlacesAreSeenAtTwoDates()
    {
        foreach (var place in Shots.Where(s => !s.IsQuery).GroupBy(s => s.Panorama[..6]))
            Assert.That(place.Select(s => s.View.Drive.Timestamp).Distinct().Count(), Is.EqualTo(2), place.Key);
    }

    /// <summary>Name, place and chance of every picture of the default city: whoever has one need not render it anew.</summary>
    [Test]
    public void ThePlanIsTheCommittedOne()
    {
        var lines = Shots.Select(s => string.Create(CultureInfo.InvariantCulture,
            $"{CityNames.Folder(s)}/{CityNames.FileName(s)} {s.View.X:R} {s.View.Y:R} {s.View.Seed} {s.View.Spread:R} {s.View.Horizon:R}"));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join("\n", lines)))), Is.EqualTo("2e4e12a6e9aef05aac9796e3bf869257435424bc6c2d11443ab543f2f05b75ca"));
    }

    [Test]
    public void NamesCarryWhatReadersLookFor()
    {
        var names = Shots.Select(s => CityNames.Folder(s) + "/" + CityNames.FileName(s)).ToList();
        Assert.That(names.Distinct().Count(), Is.EqualTo(names.Count));
        foreach (var shot in Shots.Take(50))
        {
            var parts = CityNames.FileName(shot).Split('@');
            Assert.That(parts, Has.Length.EqualTo(16));
            Assert.Multiple(() =>
            {
                Assert.That(parts[0], Is.Empty);
                Assert.That(double.Parse(parts[1], CultureInfo.InvariantCulture), Is.EqualTo(shot.Easting).Within(0.0051));
                Assert.That(double.Parse(parts[2], CultureInfo.InvariantCulture), Is.EqualTo(shot.Northing).Within(0.0051));
                Assert.That(parts[7], Is.EqualTo(shot.Panorama));
                Assert.That(int.Parse(parts[9], CultureInfo.InvariantCulture), Is.EqualTo(shot.View.Heading));
                Assert.That(parts[13], Does.Match(@"^\d{8}_\d{4}$"));
                Assert.That(parts[15], Is.EqualTo(".jpg"));
            });
        }
    }
}
