namespace IlgpuNetVlad.Engine.Data;

/// <summary>Turns image files into pixels. Safe to call from several threads.</summary>
public interface IImageDecoder
{
    /// <summary>Reads an image, turns it upright, and resizes it.</summary>
    /// <exception cref="ImageException">The file is missing, damaged, or absurdly large.</exception>
    PixelImage Decode(string path, ResizePolicy policy);

    /// <summary>Height and width in pixels of the upright image as stored, from its header alone.</summary>
    /// <exception cref="ImageException">The header cannot be read.</exception>
    (int Height, int Width) ReadSize(string path);
}
