namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddProducts(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        for (int columns = 8; columns <= 256; columns += 8)
        {
            int n = columns;
            set[$"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16"] = d => Product(d, n);
        }
        set["wgmma.fence.sync.aligned"] = d => Only(d, 0, new ProductOrderStep(w => w.Products.Fence()));
        set["wgmma.commit_group.sync.aligned"] = d => Only(d, 0, new ProductOrderStep(w => w.Products.Commit()));
        set["wgmma.wait_group.sync.aligned"] = d =>
        {
            d.Take(1);
            int left = d.Constant(0);
            return new ProductOrderStep(w => w.Products.WaitForAllBut(left, w.Block.Shared, w.FirstThread));
        };
    }

    private static Step Product(InstructionDecoder d, int columns)
    {
        d.Take(8);
        var step = new ProductStep(columns)
        {
            Sums = d.Vector(0, columns / 2, d.Target),
            A = d.Source(1),
            B = d.Source(2),
            Added = d.Source(3),
            Sign = Sign(d, 4) * Sign(d, 5),
            AAcross = d.Constant(6) != 0,
            BAcross = d.Constant(7) != 0,
        };
        step.Flops = step.ThreadFlops;
        return step;
    }

    private static int Sign(InstructionDecoder d, int index) => d.Constant(index) is 1 or -1 ? d.Constant(index) : throw d.Wrong($"{d.Opcode} scales by 1 or −1.");
}
