using System.Globalization;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Random numbers whose state can be stored and put back, the same on every machine: xoshiro256** (Blackman and Vigna, ACM TOMS 47, 2021),
/// seeded through SplitMix64. The library's own generator shows no state, and its sequence is no contract.
/// </summary>
public sealed class SeededGenerator
{
    private readonly ulong[] s = new ulong[4];

    /// <param name="stream">Tells generators of one seed apart, such as the epoch's number.</param>
    public SeededGenerator(ulong seed, ulong stream = 0)
    {
        ulong z = seed ^ (stream * 0xD1342543DE82EF95);
        for (int i = 0; i < 4; i++)
        {
            z += 0x9E3779B97F4A7C15;
            ulong x = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            s[i] = x ^ (x >> 31);
        }
    }

    /// <summary>All of its state: four hexadecimal numbers with dashes between.</summary>
    public string State
    {
        get => string.Join('-', s.Select(x => x.ToString("x16", CultureInfo.InvariantCulture)));
        set
        {
            var parts = value.Split('-');
            for (int i = 0; i < 4; i++)
                s[i] = ulong.Parse(parts[i], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        ulong result = ulong.RotateLeft(s[1] * 5, 7) * 9, t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = ulong.RotateLeft(s[3], 45);
        return result;
    }

    /// <summary>Evenly among 0 … bound − 1 (Lemire's multiplication, biased ones drawn again).</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        uint range = (uint)bound, reject = (uint)-(int)range % range;
        while (true)
        {
            ulong product = (NextBits() >> 32) * range;
            if ((uint)product >= reject)
                return (int)(product >> 32);
        }
    }

    /// <summary>Evenly in 0 ≤ x &lt; 1, 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1ul << 53));

    /// <summary>A random order of 0 … count − 1.</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
