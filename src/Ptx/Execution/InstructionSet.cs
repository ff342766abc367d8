using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

/// <summary>Every instruction that is known, with all its modifiers, and what it does. What is not here is an error where a kernel uses it.</summary>
internal static partial class InstructionSet
{
    public static IReadOnlyDictionary<string, Func<InstructionDecoder, Step>> All { get; } = Build();

    private static Dictionary<string, Func<InstructionDecoder, Step>> Build()
    {
        var set = new Dictionary<string, Func<InstructionDecoder, Step>>
        {
            ["bra"] = d => Only(d, 1, new BranchStep(d.Label(0))),
            ["bra.uni"] = d => Only(d, 1, new BranchStep(d.Label(0))),
            ["ret"] = d => Only(d, 0, new ReturnStep()),
            ["exit"] = d => Only(d, 0, new ReturnStep()),
            ["bar.sync"] = Barrier,
            ["barrier.sync"] = Barrier,
        };
        AddIntegers(set);
        AddFloats(set);
        AddComparisons(set);
        AddConversions(set);
        AddMemory(set);
        AddWarp(set);
        AddProducts(set);
        AddBarriers(set);
        return set;
    }

    private static Step Only(InstructionDecoder d, int operands, Step step)
    {
        d.Take(operands);
        return step;
    }

    private static Step Barrier(InstructionDecoder d)
    {
        d.Take(1);
        return d.Constant(0) == 0 ? new BarrierStep() : throw d.Wrong("only barrier 0, of the whole block, is known.");
    }

    private static Func<InstructionDecoder, Step> Unary(Func<Vector512<ulong>, Vector512<ulong>> f, int flops = 0)
        => d => Only(d, 2, new UnaryStep(d.Target(0), d.Source(1), f) { Flops = flops });

    private static Func<InstructionDecoder, Step> Binary(Func<Vector512<ulong>, Vector512<ulong>, Vector512<ulong>> f, int flops = 0)
        => d => Only(d, 3, new BinaryStep(d.Target(0), d.Source(1), d.Source(2), f) { Flops = flops });

    private static Func<InstructionDecoder, Step> Ternary(Func<Vector512<ulong>, Vector512<ulong>, Vector512<ulong>, Vector512<ulong>> f, int flops = 0)
        => d => Only(d, 4, new TernaryStep(d.Target(0), d.Source(1), d.Source(2), d.Source(3), f) { Flops = flops });

    private static Func<InstructionDecoder, Step> UnaryOfLane(Func<ulong, ulong> f, int flops = 0)
        => d => Only(d, 2, new UnaryLaneStep(d.Target(0), d.Source(1), f) { Flops = flops });

    private static Func<InstructionDecoder, Step> BinaryOfLane(Func<ulong, ulong, ulong> f, int flops = 0)
        => d => Only(d, 3, new BinaryLaneStep(d.Target(0), d.Source(1), d.Source(2), f) { Flops = flops });

    private static Vector512<ulong> Low(Vector512<ulong> a) => a & Vector512.Create(0xFFFF_FFFFul);

    /// <summary>The lower bits of each lane as a signed number of 64 bits.</summary>
    private static Vector512<ulong> Signed(Vector512<ulong> a, int bits = 32) => (a.AsInt64() << 64 - bits >> 64 - bits).AsUInt64();

    /// <summary>1 in the lanes in which something holds.</summary>
    private static Vector512<ulong> One(Vector512<ulong> holds) => holds & Vector512<ulong>.One;
}
