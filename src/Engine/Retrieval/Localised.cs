using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>A photograph and the known places that it may show.</summary>
/// <param name="Photo">Path of its file.</param>
/// <param name="Answers">Best first.</param>
public sealed record Localised(string Photo, IReadOnlyList<PlaceAnswer> Answers)
{
    /// <summary>Asks an index of image files, in their order.</summary>
    /// <param name="depth">Answers of each, 1 … 2048; fewer where fewer places are known.</param>
    /// <param name="batch">As of <see cref="Extractor.Extract"/>, like the others.</param>
    /// <exception cref="UserErrorException">No place is known, or none of the images can be read.</exception>
    public static IReadOnlyList<Localised> Of(
        PlaceIndex index, IReadOnlyList<string> photos, IImageDecoder decoder, int depth = 5, int batch = 16, IProgressSink? progress = null, CancellationToken token = default,
        Action<string, string>? onBad = null)
    {
        if (index.Count == 0)
            throw new UserErrorException("The index knows no place yet: add photographs to it.");
        var descriptors = Extractor.Extract(index.Network, photos, decoder, index.Network.Settings.Resize, batch, progress, token, onBad);
        if (descriptors.Rows == 0 && photos.Count > 0)
            throw new UserErrorException($"None of {photos.Count} images can be read.");
        return [.. index.Find(descriptors, depth).Select((answers, q) => new Localised(descriptors.Names![q], answers))];
    }
}
