using System.Diagnostics;
using System.Security.Cryptography;
using IlgpuNetVlad.Engine.Data.City;

namespace IlgpuNetVlad.Tests.Data.City;

/// <summary>
/// The pictures of the default city are the same bits on every machine. When a change of the renderer is meant, its new sums go here and
/// <see cref="CityWriter.Version"/> goes up, so that cities on people's disks are written anew.
/// </summary>
public sealed class CityChecksum
{
    private const string Pictures = "185b236ad304d77c6e9e589a3c8d69b1bbf4ef970d65789e5b0e74faa2231806";
    private const string Files = "6a2caf6ed30ee186a5e3a77d38dd59adfaaf08c3ccfa698f113629b9624a0287";

    /// <summary>Eight views of each quarter, by day and night, database and queries.</summary>
    private static (string Pictures, string Files) Sums()
    {
        var options = new CityOptions();
        var renderer = new CityRenderer(options);
        using IncrementalHash pictures = IncrementalHash.CreateHash(HashAlgorithmName.SHA256), files = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var split in CityPlan.Shots(options, renderer).GroupBy(s => s.Split))
        {
            var database = split.Where(s => !s.IsQuery).ToList();
            // The first query of each of five kinds of weather, three of the database.
            CityWeather[] weathers = [CityWeather.Clear, CityWeather.Snow, CityWeather.Fog, CityWeather.Dusk, CityWeather.RainyNight];
            foreach (var shot in weathers.Select(w => split.First(s => s.IsQuery && s.View.Drive.Weather == w)).Concat([database[0], database[database.Count / 2], database[^1]]))
            {
                var rgb = renderer.Render(shot.View);
                pictures.AppendData(rgb);
                files.AppendData(CityWriter.Encode(rgb, options.Width, options.Height, options.Quality));
            }
        }
        return (Convert.ToHexStringLower(pictures.GetHashAndReset()), Convert.ToHexStringLower(files.GetHashAndReset()));
    }

    [Test]
    public void PicturesAreTheCommittedOnes()
    {
        var (pictures, files) = Sums();
        Assert.Multiple(() =>
        {
            Assert.That(pictures, Is.EqualTo(Pictures));
            Assert.That(files, Is.EqualTo(Files));
        });
    }

    /// <summary>Runs the test above once more in a process without vector instructions, in the runtime and in the JPEG encoder.</summary>
    [TestCase("DOTNET_EnableAVX2=0")]
    [TestCase("DOTNET_EnableHWIntrinsic=0", "JSIMD_FORCENONE=1")]
    public void AlsoWithoutVectorInstructions(params string[] environment)
    {
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "vstest", typeof(CityChecksum).Assembly.Location, $"--Tests:{typeof(CityChecksum).FullName}.{nameof(PicturesAreTheCommittedOnes)}" })
            start.ArgumentList.Add(argument);
        foreach (var setting in environment)
            start.Environment[setting.Split('=')[0]] = setting.Split('=')[1];
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.That(output, Does.Contain("Passed: 1").Or.Contain("Passed:     1"), output + errors.Result);
        Assert.That(child.ExitCode, Is.Zero, output);
    }
}
