namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>From light to bytes: bloom, exposure and colour cast of the picture, tone curve, rain and snow before the lens, grain.</summary>
internal readonly struct Exposure(CityView view, Daylight light)
{
    public byte[] Develop(Rgb[] pixels, int width, int height)
    {
        var dice = new Dice(view.Seed);
        var (gain, balance) = Meter(pixels);
        gain *= dice.Range(600, 0.82f, 1.22f);
        var warm = dice.Range(601, -0.05f, 0.05f);
        var cast = balance * new Rgb(1 + warm, 1 + dice.Range(602, -0.02f, 0.02f), 1 - warm) * gain;
        Bloom(pixels, width, height, 1.6f / gain);
        Weather(pixels, width, height, dice);
        var bytes = new byte[width * height * 3];
        for (var i = 0; i < pixels.Length; i++)
        {
            var c = pixels[i] * cast;
            c = Rgb.Lerp(Rgb.Grey(c.Luma), c, 1.2f);
            var grain = (dice[603].Unit(i) - 0.5f) * 2 * light.Grain;
            bytes[3 * i] = Tone(c.R, grain);
            bytes[3 * i + 1] = Tone(c.G, grain);
            bytes[3 * i + 2] = Tone(c.B, grain + (dice[604].Unit(i) - 0.5f) * light.Grain);
        }
        return bytes;
    }

    /// <summary>
    /// What a camera's automatic exposure and white balance do: most of the way to a middle grey by day, part of the way at night, half
    /// of the way to a neutral mean colour.
    /// </summary>
    private (float Gain, Rgb Balance) Meter(Rgb[] pixels)
    {
        var sum = Rgb.Black;
        foreach (var pixel in pixels)
            sum += new Rgb(Math.Min(pixel.R, 2), Math.Min(pixel.G, 2), Math.Min(pixel.B, 2));
        var mean = sum * (1f / pixels.Length);
        var luma = mean.Luma + 1e-4f;
        var gain = light.Dark ? light.Exposure * MathF.Sqrt(MathF.Sqrt(0.14f / luma)) : 0.5f / (luma + 0.08f);
        return (gain, new Rgb(Half(mean.R), Half(mean.G), Half(mean.B)));

        float Half(float channel) => 1 / MathF.Sqrt((channel + 0.02f) / (luma + 0.02f));
    }

    /// <summary>A shoulder for the highlights, then a square root for the eye.</summary>
    private static byte Tone(float v, float grain)
    {
        v = v * (1 + v * 0.12f) / (0.45f + v) * 0.86f;
        v *= v < 0.3f ? 0.58f + 1.4f * v : 1;
        var b = (int)((MathF.Sqrt(v < 0 ? 0 : v) + grain) * 255 + 0.5f);
        return (byte)(b < 0 ? 0 : b > 255 ? 255 : b);
    }

    /// <summary>Bright things spill over their rims: two passes of a box in each direction.</summary>
    private static void Bloom(Rgb[] pixels, int width, int height, float threshold)
    {
        var any = false;
        Rgb[] glow = new Rgb[pixels.Length], other = new Rgb[pixels.Length];
        for (var i = 0; i < pixels.Length; i++)
            if (pixels[i].Luma > threshold)
            {
                glow[i] = pixels[i] * Math.Min(1, 6 * threshold / pixels[i].Luma);
                any = true;
            }
        if (!any)
            return;
        var radius = Math.Max(1, width / 40);
        for (var pass = 0; pass < 2; pass++)
        {
            for (var y = 0; y < height; y++)
                Blur(glow, other, y * width, 1, width, radius);
            for (var x = 0; x < width; x++)
                Blur(other, glow, x, width, height, radius);
        }
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] += glow[i] * 0.4f;
    }

    private static void Blur(Rgb[] from, Rgb[] to, int start, int step, int count, int radius)
    {
        var share = 1f / (2 * radius + 1);
        for (var i = 0; i < count; i++)
        {
            var sum = Rgb.Black;
            for (var k = Math.Max(0, i - radius); k <= Math.Min(count - 1, i + radius); k++)
                sum += from[start + k * step];
            to[start + i * step] = sum * share;
        }
    }

    private void Weather(Rgb[] pixels, int width, int height, Dice dice)
    {
        var streaks = (int)(light.RainStreaks * width * 1.6f);
        for (var n = 0; n < streaks; n++)
        {
            var d = dice[700 + n];
            int x = d.Pick(0, width), y = d.Pick(1, height), length = 3 + d.Pick(2, height / 8);
            for (var k = 0; k < length && y + k < height; k++)
            {
                var at = (y + k) * width + Math.Min(width - 1, x + k / 6);
                pixels[at] = Rgb.Lerp(pixels[at], light.Horizon * 1.1f, 0.22f);
            }
        }
        var flakes = (int)(light.Flakes * width * 3);
        for (var n = 0; n < flakes; n++)
        {
            var d = dice[5000 + n];
            var at = d.Pick(1, height) * width + d.Pick(0, width);
            pixels[at] = Rgb.Lerp(pixels[at], light.Horizon * 1.15f, d.Range(2, 0.3f, 0.9f));
            if (d.Chance(3, 0.25f) && (at + 1) % width != 0)
                pixels[at + 1] = Rgb.Lerp(pixels[at + 1], light.Horizon * 1.15f, 0.6f);
        }
    }
}
