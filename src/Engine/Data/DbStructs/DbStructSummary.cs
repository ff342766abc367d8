namespace IlgpuNetVlad.Engine.Data.DbStructs;

/// <summary>What became of one file of a <see cref="DbStructImport"/>.</summary>
/// <param name="File">The .mat file.</param>
/// <param name="Split">Its name in the table.</param>
/// <param name="Database">Images listed.</param>
/// <param name="Queries">Images listed.</param>
/// <param name="Missing">Images listed that are not there.</param>
/// <param name="FirstMissing">Where the first of them was looked for; null where all are there.</param>
/// <param name="DatabaseFolder">Where the database lies.</param>
/// <param name="QueryFolder">Where the queries lie.</param>
/// <param name="Panoramas">That the database was cut from; 0 where it is not said.</param>
/// <param name="Times">Whether capture times are known.</param>
/// <param name="Notes">Sentences on what differs from what is assumed here.</param>
public sealed record DbStructSummary(
    string File, string Split, int Database, int Queries, int Missing, string? FirstMissing, string DatabaseFolder, string QueryFolder, int Panoramas, bool Times, IReadOnlyList<string> Notes);
