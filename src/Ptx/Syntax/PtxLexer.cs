namespace IlgpuNetVlad.Ptx;

/// <summary>A word, a number or one sign of a PTX text; empty text marks the end.</summary>
internal readonly record struct PtxToken(string Text, int Line)
{
    public bool IsWord => Text.Length > 0 && (char.IsLetter(Text[0]) || Text[0] is '_' or '%' or '.' or '$');

    public bool IsNumber => Text.Length > 0 && char.IsDigit(Text[0]);
}

/// <summary>Cuts a PTX text into words, comments left out. An opcode with all its modifiers is one word, and so is <c>%tid.x</c>.</summary>
internal static class PtxLexer
{
    private const string Signs = ",;:{}[]()<>@!+-|=";

    public static List<PtxToken> Cut(string text)
    {
        var tokens = new List<PtxToken>();
        int line = 1, i = 0;
        while (i < text.Length)
        {
            char c = text[i];
            if (c == '\n')
                line++;
            if (char.IsWhiteSpace(c))
                i++;
            else if (text.AsSpan(i).StartsWith("//"))
                i = text.IndexOf('\n', i) is var end and >= 0 ? end : text.Length;
            else if (text.AsSpan(i).StartsWith("/*"))
            {
                int end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                if (end < 0)
                    throw new PtxSyntaxException(line, "a comment does not end.");
                line += text.AsSpan(i, end - i).Count('\n');
                i = end + 2;
            }
            else if (IsWordPart(c))
            {
                int start = i;
                // A single colon ends a label, a double one joins two parts of a modifier.
                while (i < text.Length && (IsWordPart(text[i]) || text.AsSpan(i).StartsWith("::")))
                    i += text[i] == ':' ? 2 : 1;
                tokens.Add(new(text[start..i], line));
            }
            else if (Signs.Contains(c))
            {
                tokens.Add(new(c.ToString(), line));
                i++;
            }
            else
                throw new PtxSyntaxException(line, $"the sign '{c}' is not known here.");
        }
        tokens.Add(new("", line));
        return tokens;
    }

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '%' or '.' or '$';
}
