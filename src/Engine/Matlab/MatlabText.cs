namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>Text of one line, or none; a table of characters of several lines is read line after line, spaces at their ends included.</summary>
internal sealed class MatlabText(int[] shape, string text) : MatlabValue(shape)
{
    public string Text => text;

    public override string Kind => $"text of {Size}";
}
