namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>A straight street between two crossings: s metres along it, lateral metres to its right.</summary>
internal sealed class Street
{
    public required int Id { get; init; }
    public required Dice Dice { get; init; }
    public required Flat Start { get; init; }
    public required Flat Along { get; init; }
    public required float Length { get; init; }

    /// <summary>From the middle to the façades.</summary>
    public required float Half { get; init; }

    /// <summary>From the middle to the kerb.</summary>
    public required float Kerb { get; init; }

    /// <summary>Whether panoramas are taken here; the outermost streets only close the view.</summary>
    public required bool Walked { get; init; }

    /// <summary>Metres between trees, 0 is none.</summary>
    public required float TreeStep { get; init; }

    public required bool Cobbled { get; init; }

    /// <summary>Height of the houses every metre, left then right; casts the shadow of one side on the other.</summary>
    public float[] LeftHeights = [], RightHeights = [];

    /// <summary>Trees of its pavements; their shade dapples road and façades.</summary>
    public List<TreeSpot> Trees { get; } = [];

    public const float LampStep = 22;

    public Flat Right => Along.Right;

    public Flat At(float s, float lateral) => Start + Along * s + Right * lateral;

    public (float S, float Lateral) Of(Flat p) => (Flat.Dot(p - Start, Along), Flat.Dot(p - Start, Right));

    public float HeightAt(float s, bool right)
    {
        var heights = right ? RightHeights : LeftHeights;
        var i = Plain.Floor(s);
        return (uint)i < (uint)heights.Length ? heights[i] : 0;
    }

    public void Raise(float s0, float s1, bool right, float height)
    {
        var heights = right ? RightHeights : LeftHeights;
        for (var i = Math.Max(0, Plain.Floor(s0)); i <= s1 && i < heights.Length; i++)
            heights[i] = Math.Max(heights[i], height);
    }
}
