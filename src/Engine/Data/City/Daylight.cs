namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>Weather and light of one drive through the town.</summary>
public enum CityWeather
{
    Clear,
    LowSun,
    Overcast,
    Fog,
    Rain,
    Snow,
    Dusk,
    Night,
    RainyNight,
}

/// <summary>One drive through a quarter: everything seen on it shares date, light, leaves and traffic.</summary>
/// <param name="Timestamp">YYYYMMDD_hhmm; also tells the season.</param>
/// <param name="Weather">Light and weather.</param>
public sealed record CityDrive(string Timestamp, CityWeather Weather)
{
    public int Month => (Timestamp[4] - '0') * 10 + Timestamp[5] - '0';

    /// <summary>Own to the date, so that traffic, lit windows and clouds are.</summary>
    internal uint Seed => Timestamp.Aggregate(17u, (h, c) => Dice.Mix(h, c));
}

/// <summary>Light of a drive, in numbers the painters use.</summary>
internal sealed class Daylight
{
    public required CityDrive Drive { get; init; }

    /// <summary>Own to the date.</summary>
    public required uint Seed { get; init; }

    /// <summary>Towards the sun (or the moon), unit length.</summary>
    public float SunX, SunY, SunZ;
    public Rgb Sun, Ambient, Zenith, Horizon, Cloud, Fog, LampColour = new(1.0f, 0.62f, 0.28f);

    /// <summary>Share of light left at x metres is 1 / (1 + x·d + (x·d)²/2).</summary>
    public float FogDensity;
    public float CloudCover, Snow, Wet, Lamps, LitShare, Exposure = 1, Foliage = 1, Grain = 0.006f;

    /// <summary>Colours of leaves that this season mixes.</summary>
    public Rgb LeafA, LeafB;
    public float Fallen, RainStreaks, Flakes;
    /// <summary>Where in the noise the clouds of this drive lie.</summary>
    public float CloudX, CloudY;
    public bool Dark => Lamps > 0.3f;

    public static Daylight Of(CityDrive drive)
    {
        var dice = new Dice(drive.Seed);
        var light = new Daylight { Drive = drive, Seed = dice.Seed, CloudX = dice.Range(20, 0, 200), CloudY = dice.Range(21, 0, 200) };
        var month = drive.Month;
        var winter = month is 12 or 1 or 2;
        (light.LeafA, light.LeafB, light.Foliage) = month switch
        {
            3 => (new Rgb(0.55f, 0.36f, 0.40f), new Rgb(0.62f, 0.52f, 0.50f), 0.45f),
            4 or 5 => (new Rgb(0.22f, 0.34f, 0.06f), new Rgb(0.30f, 0.40f, 0.10f), 0.85f),
            6 or 7 or 8 => (new Rgb(0.06f, 0.17f, 0.035f), new Rgb(0.10f, 0.22f, 0.05f), 1f),
            9 => (new Rgb(0.12f, 0.20f, 0.04f), new Rgb(0.34f, 0.28f, 0.05f), 0.95f),
            10 => (new Rgb(0.50f, 0.24f, 0.03f), new Rgb(0.45f, 0.10f, 0.03f), 0.8f),
            11 => (new Rgb(0.40f, 0.22f, 0.05f), new Rgb(0.28f, 0.14f, 0.05f), 0.3f),
            _ => (new Rgb(0.2f, 0.14f, 0.08f), new Rgb(0.2f, 0.14f, 0.08f), 0.03f),
        };
        light.Fallen = month switch { 10 => 0.5f, 11 => 0.8f, 9 => 0.1f, _ => 0 };
        var high = winter ? 0.35f : month is >= 5 and <= 8 ? 1.1f : 0.65f;
        light.PointSun(dice.Range(1, -1, 1), dice.Range(2, -1, 0.2f), high * dice.Range(3, 0.8f, 1.2f));
        switch (drive.Weather)
        {
            case CityWeather.Clear:
                light.Set(new(2.1f, 1.95f, 1.7f), new(0.36f, 0.42f, 0.54f), new(0.16f, 0.36f, 0.95f), new(0.72f, 0.85f, 1.05f), new(1.25f, 1.25f, 1.25f), 0.0016f, dice.Range(4, 0.2f, 0.5f));
                break;
            case CityWeather.LowSun:
                light.PointSun(dice.Range(5, 0, 1) < 0.5f ? -1 : 1, dice.Range(6, -0.7f, 0.7f), 0.22f);
                light.Set(new(2.6f, 1.5f, 0.62f), new(0.36f, 0.38f, 0.5f), new(0.24f, 0.36f, 0.75f), new(1.25f, 0.85f, 0.48f), new(1.3f, 0.85f, 0.6f), 0.004f, 0.4f);
                light.LitShare = 0.08f;
                break;
            case CityWeather.Overcast:
                light.Set(Rgb.Grey(0.12f), new(0.74f, 0.77f, 0.82f), new(0.62f, 0.66f, 0.72f), new(0.88f, 0.90f, 0.93f), new(0.72f, 0.75f, 0.8f), 0.003f, 0.95f);
                break;
            case CityWeather.Fog:
                light.Set(Rgb.Grey(0.04f), new(0.62f, 0.65f, 0.68f), new(0.7f, 0.72f, 0.75f), new(0.72f, 0.74f, 0.76f), new(0.7f, 0.72f, 0.75f), 0.017f, 1);
                light.LitShare = 0.12f;
                break;
            case CityWeather.Rain:
                light.Set(Rgb.Grey(0.03f), new(0.44f, 0.48f, 0.54f), new(0.36f, 0.40f, 0.46f), new(0.56f, 0.6f, 0.64f), new(0.4f, 0.44f, 0.5f), 0.005f, 1);
                (light.Wet, light.RainStreaks, light.LitShare, light.Exposure) = (1, 0.35f, 0.25f, 1.35f);
                break;
            case CityWeather.Snow:
                light.Set(Rgb.Grey(0.1f), new(0.66f, 0.71f, 0.80f), new(0.7f, 0.74f, 0.8f), new(0.86f, 0.88f, 0.92f), new(0.78f, 0.8f, 0.84f), 0.006f, 1);
                (light.Snow, light.Flakes, light.LitShare) = (1, dice.Range(7, 0, 0.6f), 0.2f);
                break;
            case CityWeather.Dusk:
                light.PointSun(-1, 0.3f, 0.06f);
                light.Set(new(0.24f, 0.12f, 0.06f), new(0.16f, 0.18f, 0.28f), new(0.06f, 0.10f, 0.28f), new(0.62f, 0.36f, 0.24f), new(0.5f, 0.26f, 0.24f), 0.004f, 0.5f);
                (light.Lamps, light.LitShare, light.Exposure, light.Grain) = (0.6f, 0.4f, 1.8f, 0.012f);
                break;
            default:
                var rainy = drive.Weather == CityWeather.RainyNight;
                light.Set(new(0.010f, 0.012f, 0.02f), new(0.022f, 0.026f, 0.042f), new(0.008f, 0.011f, 0.024f), new(0.045f, 0.04f, 0.045f), new(0.05f, 0.042f, 0.04f), rainy ? 0.008f : 0.003f, rainy ? 1 : 0.6f);
                (light.Lamps, light.LitShare, light.Exposure, light.Grain) = (1, 0.34f, 3.4f, 0.022f);
                if (rainy)
                    (light.Wet, light.RainStreaks) = (1, 0.35f);
                if (dice.Chance(8, 0.3f))
                    light.LampColour = new Rgb(0.75f, 0.85f, 1f);
                if (winter && !rainy)
                    light.Snow = dice.Chance(9, 0.6f) ? 0.8f : 0;
                break;
        }
        return light;
    }

    private void PointSun(float x, float y, float z)
    {
        var scale = 1 / MathF.Sqrt(x * x + y * y + z * z);
        (SunX, SunY, SunZ) = (x * scale, y * scale, z * scale);
    }

    private void Set(Rgb sun, Rgb ambient, Rgb zenith, Rgb horizon, Rgb cloud, float fog, float cover)
        => (Sun, Ambient, Zenith, Horizon, Cloud, Fog, FogDensity, CloudCover) = (sun, ambient, zenith, horizon, cloud, Rgb.Lerp(horizon, ambient, 0.3f), fog, cover);

    /// <summary>Mixes in the haze of the way to a point.</summary>
    public Rgb Haze(Rgb colour, float distance)
    {
        var x = distance * FogDensity;
        return Rgb.Lerp(Fog, colour, 1 / (1 + x + 0.5f * x * x));
    }
}
