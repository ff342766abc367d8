namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>What lies behind everything: gradient, clouds of the day, glow around the sun, the far skyline.</summary>
internal static class Sky
{
    /// <param name="direction">Ground part of the view ray, any length.</param>
    /// <param name="slope">Rise of the ray per metre of that length.</param>
    public static Rgb At(Daylight light, uint skyline, Flat direction, float slope)
    {
        var reach = direction.Length;
        var height = slope / reach;
        var norm = 1 / MathF.Sqrt(1 + height * height);
        var up = height * norm;
        var far = Far(skyline, direction / reach);
        if (height < far)
        {
            // The far hills and roofs: flat shapes in the haze.
            var tone = Rgb.Lerp(light.Ambient * new Rgb(0.22f, 0.26f, 0.30f), light.Horizon, light.Dark ? 0.25f : 0.55f);
            return height < far * 0.5f ? Rgb.Lerp(tone, light.Horizon, 0.15f) : tone;
        }
        var t = Plain.Clamp01(up * 1.6f);
        var sky = Rgb.Lerp(light.Horizon, light.Zenith, t * (2 - t));
        if (up > 0.01f)
        {
            float scale = 0.9f / (up + 0.12f), x = direction.X / reach * scale + light.CloudX, y = direction.Y / reach * scale + light.CloudY;
            var thick = 0.75f * Noise.Clouds(x * 1.6f, y * 1.6f) + 0.25f * Noise.Clouds(x * 6.3f + 31, y * 6.3f);
            var cover = Plain.Smooth(0.66f - light.CloudCover * 0.5f, 0.86f - light.CloudCover * 0.42f, thick);
            var shade = light.Cloud * (0.72f + 0.5f * Noise.Value(x * 2 + 9, y * 2));
            sky = Rgb.Lerp(sky, shade, cover * 0.9f * Plain.Clamp01(up * 6));
        }
        var toSun = (direction.X * light.SunX + direction.Y * light.SunY) / reach * norm + up * light.SunZ;
        if (toSun > 0.7f && !light.Dark)
        {
            var glow = (toSun - 0.7f) / 0.3f;
            glow *= glow;
            sky += light.Sun * (0.35f * glow * glow + (toSun > 0.9985f ? 4 : 0)) * (1 - 0.7f * light.CloudCover);
        }
        return sky;
    }

    /// <summary>Height of the far skyline over a metre of distance; walks around the diamond instead of the circle.</summary>
    private static float Far(uint seed, Flat d)
    {
        float ax = d.X < 0 ? -d.X : d.X, ay = d.Y < 0 ? -d.Y : d.Y, along = d.Y / (ax + ay);
        var turn = d.X >= 0 ? 1 - along : 3 + along;
        float offset = seed & 255;
        var hills = 0.03f + 0.13f * Noise.Value(turn * 4 + offset, offset * 0.7f) * Noise.Value(turn * 1.5f + offset, 3.3f);
        var block = Noise.Cell((int)(turn * 45) + (int)offset, (int)(seed >> 8 & 255));
        return hills + (block > 0.55f ? 0.03f * block : 0) + (block > 0.97f ? 0.06f : 0);
    }
}
