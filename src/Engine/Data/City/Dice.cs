namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>
/// Chance without a sequence: every draw is an integer hash of a seed and a key, so a thing looks the same whichever thread asks for it,
/// and in whichever order.
/// </summary>
internal readonly struct Dice(uint seed)
{
    public readonly uint Seed = seed;

    /// <summary>The dice of a part: house 7 of street 3 is <c>dice[3][7]</c>.</summary>
    public Dice this[int key] => new(Mix(Seed, (uint)key));

    /// <summary>In [0, 1), 24 bits: every value is exact in single precision.</summary>
    public float Unit(int key) => (Mix(Seed, (uint)key) >> 8) * (1f / 16777216f);

    public float Range(int key, float low, float high) => low + (high - low) * Unit(key);

    public bool Chance(int key, float probability) => Unit(key) < probability;

    /// <summary>In 0..count−1.</summary>
    public int Pick(int key, int count) => (int)(((ulong)Mix(Seed, (uint)key) * (ulong)count) >> 32);

    public uint Bits(int key) => Mix(Seed, (uint)key);

    /// <summary>A murmur-style finaliser: every input bit reaches every output bit.</summary>
    public static uint Mix(uint a, uint b)
    {
        var h = a * 0x9E3779B1u ^ (b + 0x7F4A7C15u) * 0x85EBCA6Bu;
        h ^= h >> 16;
        h *= 0x7FEB352Du;
        h ^= h >> 15;
        h *= 0x846CA68Bu;
        return h ^ (h >> 16);
    }
}
