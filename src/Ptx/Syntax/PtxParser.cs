using System.Globalization;

namespace IlgpuNetVlad.Ptx;

/// <summary>Reads the words of a module from front to back.</summary>
internal sealed class PtxParser(List<PtxToken> tokens)
{
    private readonly List<PtxVariable> moduleVariables = [];
    private int position;

    private PtxToken Next => tokens[position];

    public PtxModule Module()
    {
        string version = "", target = "";
        var kernels = new List<PtxFunction>();
        var functions = new List<PtxFunction>();
        while (Next.Text.Length > 0)
            switch (Next.Text)
            {
                case ".version":
                    position++;
                    version = Take().Text;
                    break;
                case ".target":
                    position++;
                    target = Take().Text;
                    while (Try(","))
                        position++;
                    break;
                case ".address_size":
                    position++;
                    if (Take() is { Text: not "64" } size)
                        throw Wrong(size, "addresses have 64 bits");
                    break;
                case ".visible" or ".extern" or ".weak":
                    position++;
                    break;
                case ".shared":
                    moduleVariables.Add(Variable(moduleVariables));
                    break;
                case ".entry":
                    position++;
                    if (Function() is { } kernel)
                        kernels.Add(kernel);
                    break;
                case ".func":
                    position++;
                    if (Function() is { } function)
                        functions.Add(function);
                    break;
                default:
                    throw Wrong(Next, "a directive of a module stands here");
            }
        return new(version, target, kernels, functions);
    }

    /// <returns>Null for a declaration without a body.</returns>
    private PtxFunction? Function()
    {
        var results = Next.Text == "(" ? Parameters() : [];
        var name = Word();
        var parameters = Next.Text == "(" ? Parameters() : [];
        int? mostThreads = null, mostRegisters = null;
        while (Next.Text is ".maxntid" or ".reqntid" or ".minnctapersm" or ".maxnreg" or ".noreturn")
        {
            string directive = Take().Text;
            int product = 1;
            while (Next.IsNumber || Next.Text == ",")
                if (!Try(","))
                    product *= (int)Number();
            if (directive is ".maxntid" or ".reqntid")
                mostThreads = product;
            else if (directive == ".maxnreg")
                mostRegisters = product;
        }
        if (Try(";"))
            return null;
        var body = new PtxBody(this, [.. moduleVariables]);
        body.Read();
        body.CheckLabels();
        // What a function returns is written like a parameter; it has no place in the block of parameters.
        return new(name.Text, name.Line, parameters, [.. body.Variables, .. results.Select(r => r with { Space = "result" })], body.Registers, body.Instructions, body.Labels) { MostThreads = mostThreads, MostRegisters = mostRegisters };
    }

    private List<PtxVariable> Parameters()
    {
        var parameters = new List<PtxVariable>();
        Expect("(");
        while (!Try(")"))
        {
            parameters.Add(Declaration(parameters));
            Try(",");
        }
        return parameters;
    }

    /// <summary>A declaration with its semicolon.</summary>
    internal PtxVariable Variable(List<PtxVariable> before)
    {
        var variable = Declaration(before);
        Expect(";");
        return variable;
    }

    /// <summary><c>.space .align n .type name[count]</c>, laid out behind the variables of its space.</summary>
    private PtxVariable Declaration(List<PtxVariable> before)
    {
        string space = Word().Text[1..];
        int alignment = 0;
        if (Try(".align"))
            alignment = (int)Number();
        var type = Word();
        int bytes = BytesOf(type), count = 1;
        alignment = Math.Max(alignment, bytes);
        var name = Word();
        if (Try("["))
        {
            count = Next.Text == "]" ? 0 : (int)Number();
            Expect("]");
        }
        int end = before.Where(v => v.Space == space).Select(v => v.Offset + v.Bytes).DefaultIfEmpty(0).Max();
        return new(name.Text, space, alignment, (end + alignment - 1) / alignment * alignment, bytes * count);
    }

    internal static int BytesOf(PtxToken type) => type.Text switch
    {
        ".b8" or ".u8" or ".s8" => 1,
        ".b16" or ".u16" or ".s16" or ".f16" => 2,
        ".b32" or ".u32" or ".s32" or ".f32" => 4,
        ".b64" or ".u64" or ".s64" or ".f64" => 8,
        _ => throw Wrong(type, "a type stands here"),
    };

    internal PtxToken Peek() => Next;

    internal PtxToken Take() => Next.Text.Length > 0 ? tokens[position++] : throw Wrong(Next, "the text goes on");

    internal bool Try(string text)
    {
        if (Next.Text != text)
            return false;
        position++;
        return true;
    }

    internal void Expect(string text)
    {
        if (!Try(text))
            throw Wrong(Next, $"'{text}' stands here");
    }

    internal PtxToken Word() => Next.IsWord ? Take() : throw Wrong(Next, "a name stands here");

    /// <summary>An integer with its sign.</summary>
    internal long Number()
    {
        bool negative = Try("-");
        var token = Next.IsNumber ? Take() : throw Wrong(Next, "a number stands here");
        string text = token.Text.TrimEnd('U');
        bool hexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!ulong.TryParse(hexadecimal ? text[2..] : text, hexadecimal ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            throw Wrong(token, "an integer stands here");
        return negative ? -(long)value : (long)value;
    }

    internal static PtxSyntaxException Wrong(PtxToken token, string expected)
        => new(token.Line, $"'{(token.Text.Length > 0 ? token.Text : "the end")}' is not understood where {expected}.");
}
