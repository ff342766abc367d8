using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Which panorama each database image was cut from, for the rule of Tokyo 24/7, which counts a panorama once.</summary>
internal static class Panoramas
{
    /// <summary>Cutouts of a panorama in Tokyo 24/7.</summary>
    public const int Cutouts = 12;

    /// <summary>
    /// Ids of the database images; where none has one, blocks of 12 images that follow one another, as Tokyo 24/7 lists them. Such blocks are believed only where the images
    /// of each stand at one place, as cutouts of a panorama do: on other sets they would leave most right answers out.
    /// </summary>
    /// <exception cref="UserErrorException">Some images have no id, or the blocks are none.</exception>
    public static string[] Of(Dataset set)
    {
        int named = set.Database.Count(image => image.Panorama is { Length: > 0 });
        if (named == set.Database.Count)
            return [.. set.Database.Select(image => image.Panorama!)];
        if (named > 0)
            throw Refused(set, $"only {named} of its {set.Database.Count} database images say of which panorama they are");
        if (set.Database.Count % Cutouts != 0)
            throw Refused(set, $"its database names no panoramas, and its {set.Database.Count} images are no blocks of {Cutouts}");
        for (int i = 0; i < set.Database.Count; i++)
            if (set.Database[i].DistanceSquared(set.Database[i / Cutouts * Cutouts]) is not 0)
                throw Refused(set, $"its database names no panoramas, and {set.Database[i].Path} does not stand where the others of its block of {Cutouts} images do");
        return [.. set.Database.Select((_, i) => $"block {i / Cutouts}")];
    }

    /// <summary>The same set with these ids, so that an image that turns out unreadable moves no other into the next block.</summary>
    /// <inheritdoc cref="Of"/>
    public static Dataset Named(Dataset set) => set.WithPanoramas(Of(set));

    private static UserErrorException Refused(Dataset set, string why)
        => new($"{set.Name} cannot be counted by panorama: {why}; leave --panoramas out, or give every database image its panorama, in its name or in the table.");
}
