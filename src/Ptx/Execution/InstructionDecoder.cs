namespace IlgpuNetVlad.Ptx;

/// <summary>Makes steps of a kernel's instructions: names become slots, labels become places.</summary>
internal sealed class InstructionDecoder(PtxFunction kernel)
{
    private readonly Dictionary<ulong, int> constants = [];
    private readonly Dictionary<string, int> specials = [];
    private readonly Dictionary<string, PtxVariable> variables = kernel.Variables.Concat(kernel.Parameters).ToDictionary(v => v.Name);
    private int slots = kernel.Registers.Count;
    private PtxInstruction current = null!;

    public KernelCode Decode()
    {
        var steps = new List<Step>();
        foreach (var instruction in kernel.Instructions)
        {
            current = instruction;
            if (!InstructionSet.All.TryGetValue(instruction.Opcode, out var make))
                throw Wrong($"the instruction {instruction.Opcode} is not known.");
            var step = make(this);
            step.Index = steps.Count;
            step.Line = instruction.Line;
            if (instruction.Guard is { } guard)
                (step.Guard, step.GuardNegated) = (guard.Index, instruction.GuardNegated);
            steps.Add(step);
        }
        MarkAccumulators(steps);
        // Where the text ends, a thread ends.
        steps.Add(new ReturnStep { Index = steps.Count, Line = current?.Line ?? kernel.Line });
        var joins = ControlFlow.Joins([.. steps.Select(Next)]);
        foreach (var branch in steps.OfType<BranchStep>())
            branch.Join = Math.Min(joins[branch.Index], steps.Count - 1);
        return new(kernel.Name, [.. steps], slots, kernel.SharedBytes, [.. constants.Select(c => (c.Value, c.Key))], [.. specials.Select(s => (s.Value, s.Key))]);
    }

    /// <summary>Notes which instructions touch accumulators of products, and which write them: the first operand, but for stores.</summary>
    private void MarkAccumulators(List<Step> steps)
    {
        var accumulators = steps.OfType<ProductStep>().SelectMany(p => p.Sums).ToHashSet();
        if (accumulators.Count == 0)
            return;
        foreach (var (step, instruction) in steps.Zip(kernel.Instructions).Where(s => s.First is not ProductStep))
        {
            step.Accumulators = [.. instruction.Operands.SelectMany(Registers).Where(accumulators.Contains).Distinct()];
            if (!instruction.Opcode.StartsWith("st.", StringComparison.Ordinal))
                step.AccumulatorsWritten = [.. instruction.Operands.Take(1).SelectMany(Registers).Where(accumulators.Contains)];
        }
    }

    private static IEnumerable<int> Registers(PtxOperand operand) => operand switch
    {
        PtxRegister register => [register.Index],
        PtxVector vector => vector.Items.SelectMany(Registers),
        PtxPair pair => Registers(pair.First).Concat(Registers(pair.Second)),
        PtxAddress address => address.Coordinates is { } coordinates ? Registers(address.Base).Concat(Registers(coordinates)) : Registers(address.Base),
        _ => [],
    };

    private static int[] Next(Step step) => step switch
    {
        BranchStep branch => branch.Guard < 0 ? [branch.Target] : [branch.Target, branch.Index + 1],
        ReturnStep => step.Guard < 0 ? [] : [step.Index + 1],
        _ => [step.Index + 1],
    };

    public string Opcode => current.Opcode;

    public int Count => current.Operands.Count;

    public PtxOperand Operand(int index) => index < Count ? current.Operands[index] : throw Wrong($"{Opcode} has too few operands.");

    /// <summary>An instruction takes as many operands as it takes.</summary>
    public void Take(int count)
    {
        if (Count != count)
            throw Wrong($"{Opcode} takes {count} operands, not {Count}.");
    }

    /// <summary>Slot of a register that is written.</summary>
    public int Target(int index) => Target(Operand(index));

    public int Target(PtxOperand operand) => operand is PtxRegister register ? register.Index : throw Wrong($"{Opcode} writes a register.");

    /// <summary>Slot of a value that is read: a register, a constant, a special register, or the address of a shared array.</summary>
    public int Source(int index) => Source(Operand(index));

    public int Source(PtxOperand operand) => operand switch
    {
        PtxRegister register => register.Index,
        PtxImmediate immediate => SlotOf(constants, immediate.Bits),
        PtxSpecialRegister special when KernelCode.SpecialNames.Contains(special.Name) => SlotOf(specials, special.Name),
        PtxSymbol symbol when variables.TryGetValue(symbol.Name, out var variable) && variable.Space == "shared" => SlotOf(constants, (ulong)variable.Offset),
        PtxSpecialRegister special => throw Wrong($"the register {special.Name} is not known."),
        PtxSymbol symbol => throw Wrong($"the name {symbol.Name} is not known, or is no value."),
        _ => throw Wrong($"{Opcode} takes a value here."),
    };

    /// <summary>Slots of {a, b, …}.</summary>
    public int[] Vector(int index, int count, Func<PtxOperand, int> slot)
        => Operand(index) is PtxVector vector && vector.Items.Count == count ? [.. vector.Items.Select(slot)] : throw Wrong($"{Opcode} takes {count} registers in braces.");

    /// <summary>Slots of {a, b, …} in [map, {a, b, …}].</summary>
    public int[] Coordinates(int index, int count)
        => Operand(index) is PtxAddress { Coordinates: { } vector } && vector.Items.Count == count ? [.. vector.Items.Select(Source)] : throw Wrong($"{Opcode} takes a tensor map and {count} coordinates.");

    /// <summary>Slot of a register that is written; −1 where <c>_</c> drops the result.</summary>
    public int TargetOrNone(int index) => Operand(index) is PtxSymbol { Name: "_" } ? -1 : Target(index);

    /// <summary>Slot and offset of [base + offset].</summary>
    public (int Slot, long Offset) Address(int index)
        => Operand(index) is PtxAddress { Coordinates: null } ? Start(index) : throw Wrong($"{Opcode} takes an address in brackets.");

    /// <summary>The same, whether or not coordinates follow.</summary>
    public (int Slot, long Offset) Start(int index)
        => Operand(index) is PtxAddress address ? (Source(address.Base), address.Offset) : throw Wrong($"{Opcode} takes an address in brackets.");

    /// <summary>Place of [parameter + offset] in the block of parameters.</summary>
    public int Parameter(int index, int bytes)
    {
        if (Operand(index) is not PtxAddress { Base: PtxSymbol symbol } address || !variables.TryGetValue(symbol.Name, out var parameter) || parameter.Space != "param")
            throw Wrong($"{Opcode} takes a parameter in brackets.");
        if (address.Offset < 0 || address.Offset + bytes > parameter.Bytes)
            throw Wrong($"{symbol.Name} has {parameter.Bytes} bytes.");
        return parameter.Offset + (int)address.Offset;
    }

    public int Label(int index) => Operand(index) is PtxSymbol label && kernel.Labels.TryGetValue(label.Name, out int place) ? place : throw Wrong($"{Opcode} takes a label.");

    public int Constant(int index) => Operand(index) is PtxImmediate immediate ? (int)immediate.Bits : throw Wrong($"{Opcode} takes a constant here.");

    public PtxSyntaxException Wrong(string message) => new(current.Line, message);

    private int SlotOf<TKey>(Dictionary<TKey, int> known, TKey key)
        where TKey : notnull
    {
        if (!known.TryGetValue(key, out int slot))
            known[key] = slot = slots++;
        return slot;
    }
}
