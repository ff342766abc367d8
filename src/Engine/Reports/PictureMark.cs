namespace IlgpuNetVlad.Engine.Reports;

/// <summary>How a picture in a sheet is framed.</summary>
public enum PictureMark
{
    /// <summary>A thin grey frame.</summary>
    Plain,

    /// <summary>Blue, with a question mark.</summary>
    Query,

    /// <summary>Green and unbroken, with a tick.</summary>
    Right,

    /// <summary>Red and dashed, with a cross.</summary>
    Wrong,
}
