using System.Globalization;

namespace IlgpuNetVlad.Ptx;

/// <summary>Reads what stands between the braces of a function: scopes, declarations, labels and instructions.</summary>
internal sealed class PtxBody(PtxParser parser, List<PtxVariable> variables)
{
    private readonly Stack<Dictionary<string, PtxRegister>> scopes = new();
    private readonly Stack<List<(string Prefix, string Type, int Count)>> ranges = new();
    private readonly List<(string Label, int Line)> used = [];

    public List<PtxVariable> Variables { get; } = variables;
    public List<PtxRegister> Registers { get; } = [];
    public List<PtxInstruction> Instructions { get; } = [];
    public Dictionary<string, int> Labels { get; } = [];

    /// <summary>One scope with its braces, and those within.</summary>
    public void Read()
    {
        parser.Expect("{");
        scopes.Push([]);
        ranges.Push([]);
        while (!parser.Try("}"))
            Statement();
        scopes.Pop();
        ranges.Pop();
    }

    /// <summary>Every label that a branch names must stand somewhere.</summary>
    public void CheckLabels()
    {
        foreach (var (label, line) in used)
            if (!Labels.ContainsKey(label))
                throw new PtxSyntaxException(line, $"there is no label '{label}'.");
    }

    private void Statement()
    {
        if (parser.Try(";"))
            return;
        switch (parser.Peek().Text)
        {
            case "{":
                Read();
                return;
            case ".reg":
                parser.Take();
                Declare();
                return;
            case ".shared" or ".local":
                Variables.Add(parser.Variable(Variables));
                return;
        }
        PtxRegister? guard = null;
        bool negated = false;
        if (parser.Try("@"))
        {
            negated = parser.Try("!");
            var name = parser.Word();
            guard = Find(name.Text) ?? throw PtxParser.Wrong(name, "a predicate guards an instruction");
        }
        var opcode = parser.Word();
        if (guard is null && parser.Try(":"))
        {
            if (!Labels.TryAdd(opcode.Text, Instructions.Count))
                throw new PtxSyntaxException(opcode.Line, $"the label '{opcode.Text}' stands twice.");
            return;
        }
        if (opcode.Text.StartsWith('.'))
            throw PtxParser.Wrong(opcode, "an instruction or a declaration stands");
        var operands = new List<PtxOperand>();
        if (!parser.Try(";"))
        {
            do
                operands.Add(Operand());
            while (parser.Try(","));
            parser.Expect(";");
        }
        if (opcode.Text is "bra" or "bra.uni" && operands is [PtxSymbol target])
            used.Add((target.Name, opcode.Line));
        Instructions.Add(new(opcode.Line, opcode.Text, guard, negated, operands));
    }

    /// <summary><c>.reg .type %a, %b&lt;n&gt;;</c>: the latter declares %b0 … %b(n − 1).</summary>
    private void Declare()
    {
        var type = parser.Word();
        if (type.Text != ".pred")
            PtxParser.BytesOf(type);
        do
        {
            var name = parser.Word();
            if (parser.Try("<"))
            {
                ranges.Peek().Add((name.Text, type.Text[1..], (int)parser.Number()));
                parser.Expect(">");
            }
            else
                Add(scopes.Peek(), name.Text, type.Text[1..]);
        }
        while (parser.Try(","));
        parser.Expect(";");
    }

    private PtxRegister Add(Dictionary<string, PtxRegister> scope, string name, string type)
    {
        var register = new PtxRegister(name, type, Registers.Count);
        Registers.Add(register);
        scope[name] = register;
        return register;
    }

    /// <summary>The register of that name in the innermost scope that has it.</summary>
    private PtxRegister? Find(string name)
    {
        foreach (var (scope, declared) in scopes.Zip(ranges))
        {
            if (scope.TryGetValue(name, out var register))
                return register;
            foreach (var (prefix, type, count) in declared)
                if (name.StartsWith(prefix, StringComparison.Ordinal)
                    && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < count)
                    return Add(scope, name, type);
        }
        return null;
    }

    private PtxOperand Operand()
    {
        if (parser.Try("["))
        {
            var start = Simple();
            long offset = parser.Peek().Text == "-" || parser.Try("+") ? parser.Number() : 0;
            PtxVector? coordinates = null;
            if (parser.Try(","))
            {
                parser.Expect("{");
                coordinates = Vector();
            }
            parser.Expect("]");
            return new PtxAddress(start, offset, coordinates);
        }
        if (parser.Try("{"))
            return Vector();
        var first = Simple();
        return parser.Try("|") ? new PtxPair(first, Simple()) : first;
    }

    /// <summary>What stands behind an opening brace, and the closing one.</summary>
    private PtxVector Vector()
    {
        var items = new List<PtxOperand>();
        do
            items.Add(Simple());
        while (parser.Try(","));
        parser.Expect("}");
        return new(items);
    }

    private PtxOperand Simple()
    {
        var token = parser.Peek();
        if (token.IsNumber && token.Text.Length > 1 && token.Text[1] is 'f' or 'F' or 'd' or 'D' && token.Text[0] == '0')
        {
            parser.Take();
            int digits = char.ToLowerInvariant(token.Text[1]) == 'f' ? 8 : 16;
            if (token.Text.Length != digits + 2 || !ulong.TryParse(token.Text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
                throw PtxParser.Wrong(token, $"a float has {digits} digits");
            return new PtxImmediate(bits);
        }
        if (token.IsNumber || token.Text == "-")
            return new PtxImmediate((ulong)parser.Number());
        var name = parser.Word();
        if (Find(name.Text) is { } register)
            return register;
        return name.Text.StartsWith('%') ? new PtxSpecialRegister(name.Text) : new PtxSymbol(name.Text);
    }
}
