namespace IlgpuNetVlad.Engine.Reports;

/// <summary>One picture of a sheet.</summary>
/// <param name="Path">The image file. One that cannot be decoded leaves its reason on the sheet.</param>
/// <param name="Caption">Stands below it; lines end in \n, two fit.</param>
public sealed record SheetPicture(string Path, PictureMark Mark, string Caption = "");
