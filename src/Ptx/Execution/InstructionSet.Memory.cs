namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddMemory(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        (string Name, int Bytes, bool Signed)[] types =
        [
            ("b8", 1, false), ("u8", 1, false), ("s8", 1, true), ("b16", 2, false), ("u16", 2, false), ("s16", 2, true),
            ("b32", 4, false), ("u32", 4, false), ("s32", 4, true), ("f32", 4, false), ("b64", 8, false), ("u64", 8, false), ("s64", 8, true), ("f64", 8, false),
        ];
        foreach (var (type, bytes, signed) in types)
        {
            set[$"ld.param.{type}"] = d => Only(d, 2, new ParameterStep(d.Target(0), d.Parameter(1, bytes), bytes, signed));
            // Without a space an address is generic; kernels here use such for global memory alone, and a shared offset belongs to no buffer.
            foreach (string space in new[] { "", ".global", ".global.nc", ".shared", ".volatile.shared" })
                foreach (int width in new[] { 1, 2, 4 })
                {
                    if (bytes * width > 16)
                        continue;
                    string vector = width == 1 ? "" : $".v{width}";
                    bool shared = space.EndsWith(".shared", StringComparison.Ordinal);
                    set[$"ld{space}{vector}.{type}"] = d => Only(d, 2, new LoadStep(Registers(d, 0, width, d.Target), d.Address(1), bytes, signed, shared));
                    if (space != ".global.nc")
                        set[$"st{space}{vector}.{type}"] = d => Only(d, 2, new StoreStep(d.Address(0), Registers(d, 1, width, d.Source), bytes, shared));
                }
        }
        set["cp.async.cg.shared.global"] = d => Copy(d, 16);
        set["cp.async.ca.shared.global"] = d => Copy(d, 4, 8, 16);
        set["cp.async.commit_group"] = d => Only(d, 0, new CommitStep());
        set["cp.async.wait_group"] = d => Only(d, 1, new WaitStep(d.Constant(0), false));
        set["cp.async.wait_all"] = d => Only(d, 0, new WaitStep(0, true));
    }

    private static int[] Registers(InstructionDecoder d, int index, int width, Func<PtxOperand, int> slot)
        => width == 1 ? [slot(d.Operand(index))] : d.Vector(index, width, slot);

    private static Step Copy(InstructionDecoder d, params int[] sizes)
    {
        if (d.Count != 4)
            d.Take(3);
        int bytes = d.Constant(2);
        if (!sizes.Contains(bytes))
            throw d.Wrong($"{d.Opcode} copies {string.Join(", ", sizes)} bytes, not {bytes}.");
        return new CopyStep(d.Address(0), d.Address(1), bytes, d.Count == 4 ? d.Source(3) : -1);
    }
}
