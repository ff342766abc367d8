namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddWarp(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (var direction in Enum.GetValues<ShuffleDirection>())
            set[$"shfl.sync.{direction.ToString().ToLowerInvariant()}.b32"] = d => Shuffle(d, direction);
        foreach (int count in new[] { 1, 2, 4 })
            foreach (string across in new[] { "", ".trans" })
                set[$"ldmatrix.sync.aligned.m8n8.x{count}{across}.shared.b16"] = d => Only(d, 2, new LoadMatrixStep(d.Vector(0, count, d.Target), d.Address(1), across != ""));
        set["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = d => Multiply(d, new MultiplyBf16());
        set["mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"] = d => Multiply(d, new MultiplyTf32());
    }

    private static Step Shuffle(InstructionDecoder d, ShuffleDirection direction)
    {
        d.Take(5);
        return d.Operand(0) is PtxPair pair
            ? new ShuffleStep(direction, d.Target(pair.First), d.Target(pair.Second), d.Source(1), d.Source(2), d.Source(3), d.Source(4))
            : new ShuffleStep(direction, d.Target(0), -1, d.Source(1), d.Source(2), d.Source(3), d.Source(4));
    }

    private static Step Multiply(InstructionDecoder d, MultiplyStep step)
    {
        d.Take(4);
        step.Flops = step.ThreadFlops;
        step.Results = d.Vector(0, 4, d.Target);
        step.A = d.Vector(1, 4, d.Source);
        step.B = d.Vector(2, 2, d.Source);
        step.C = d.Vector(3, 4, d.Source);
        return step;
    }
}
