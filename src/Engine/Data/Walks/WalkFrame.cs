namespace IlgpuNetVlad.Engine.Data.Walks;

/// <summary>One picture of a film taken while walking.</summary>
/// <param name="Path">Absolute path of the file.</param>
/// <param name="Level">Floor of the building.</param>
/// <param name="Area">Part of the floor.</param>
/// <param name="Sequence">The walk.</param>
/// <param name="Second">Since the walk began; frames are a second apart.</param>
internal sealed record WalkFrame(string Path, string Level, string Area, string Sequence, int Second)
{
    /// <summary>What it shows: other floors may have an area of the same name.</summary>
    public string Place => $"{Level}/{Area}";
}
