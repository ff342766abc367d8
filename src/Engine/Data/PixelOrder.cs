namespace IlgpuNetVlad.Engine.Data;

/// <summary>How the bytes of a pixel follow each other, in frames of cameras and of other libraries.</summary>
public enum PixelOrder
{
    /// <summary>Three bytes, as <see cref="PixelImage.Rgb"/> holds them.</summary>
    Rgb,

    /// <summary>Three bytes, as OpenCV has them.</summary>
    Bgr,

    /// <summary>Four bytes; the last is passed over.</summary>
    Rgba,

    /// <summary>Four bytes, as Windows has them; the last is passed over.</summary>
    Bgra,

    /// <summary>One byte, which becomes red, green and blue.</summary>
    Grey,
}
