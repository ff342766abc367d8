namespace IlgpuNetVlad.Engine.Weights;

/// <summary>A tensor of a file that is read when it is wanted and may be read again, so that nobody need keep it: as long as the file is what it was.</summary>
/// <param name="state">That the file had.</param>
internal sealed class StoredTensor(string path, SafetensorsHeader.Entry entry, FileState? state)
{
    /// <summary>Takes numbers in their order.</summary>
    /// <param name="first">Index of the first of them in the tensor.</param>
    public delegate void Take(int first, ReadOnlySpan<float> numbers);

    public SafetensorsHeader.Entry Entry => entry;

    /// <summary>Whether the file is still there, as it was.</summary>
    public bool IsThere => state != null && FileState.Of(path) == state;

    /// <exception cref="UserErrorException">The file is gone, or another by now.</exception>
    public void Read(Take take)
    {
        if (!IsThere)
            throw new UserErrorException($"{path} has changed since its weights were read, and {entry.Name} is needed from it again: put the file back, or load the network anew.");
        using var reader = SafetensorsReader.Open(path);
        reader.Read(entry, take);
    }
}
