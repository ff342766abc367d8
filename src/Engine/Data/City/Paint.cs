namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>What a painter says of a point: how it takes light and what light it gives.</summary>
internal struct Paint
{
    /// <summary>Share of light given back, per colour.</summary>
    public Rgb Albedo;

    /// <summary>Own light (lit windows, lamps).</summary>
    public Rgb Glow;

    /// <summary>Share of the sky that it mirrors, 0..1.</summary>
    public float Shine;

    /// <summary>Share of light that reaches it past corners, 0..1.</summary>
    public float Open;

    public static Paint Of(Rgb albedo, float open = 1) => new() { Albedo = albedo, Open = open };
}

/// <summary>A point that a sample sees.</summary>
/// <param name="At">On the ground.</param>
/// <param name="Z">Metres above the road.</param>
/// <param name="Grain">Metres a sample covers: finer patterns fade out.</param>
/// <param name="Direction">Ground part of the view ray; (Direction, Slope) · metres ahead leads here from the camera.</param>
internal readonly record struct Hit(Piece Piece, Flat At, float Z, float Grain, Flat Direction, float Slope)
{
    /// <summary>Metres along an upright piece.</summary>
    public float U => Flat.Dot(At - Piece.A, Piece.Axis);

    /// <summary>1 while a pattern of this size in metres is visible, 0 when it is finer than a sample.</summary>
    public float Shows(float size) => Plain.Clamp01(2 - 2.2f * Grain / size);
}
