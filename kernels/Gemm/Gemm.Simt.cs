using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Gemm
{
    private static void RunSimt(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.M > 0)
            Simt.Multiply.On(device)(
                new KernelConfig(new Index3D((s.M + SimtTile.Rows - 1) / SimtTile.Rows, (s.N + SimtTile.Columns - 1) / SimtTile.Columns, 1), new Index3D(SimtTile.Threads, 1, 1)),
                v[0], v[1], v[2], s);
    }

    private static void RunLargeSimt(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace) => SimtGemm.Multiply(device, s, v[0], v[1], v[2]);

    /// <summary>Block tiles of <see cref="SimtTile"/>; loads run along the rows of the matrices as they lie, so they are coalesced in all four cases.</summary>
    internal static class Simt
    {
        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, GemmShape>> Multiply =
            new("gemm.simt-32x32x16", Kernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, GemmShape>(Kernel));

        private static void Kernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, GemmShape s)
        {
            var sharedA = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            var sharedB = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            int row0 = Grid.IdxX * SimtTile.Rows, column0 = Grid.IdxY * SimtTile.Columns;
            var sums = new SimtTile();
            for (int k0 = 0; k0 < s.K; k0 += SimtTile.Depth)
            {
                for (int i = 0; i < SimtTile.Loads; i++)
                {
                    int element = Group.IdxX + i * SimtTile.Threads;
                    int row = s.TransposeA != 0 ? element % SimtTile.Rows : element / SimtTile.Depth, k = s.TransposeA != 0 ? element / SimtTile.Rows : element % SimtTile.Depth;
                    float value = 0;
                    if (row0 + row < s.M && k0 + k < s.K)
                        value = s.TransposeA != 0 ? a[(k0 + k) * s.M + row0 + row] : a[(row0 + row) * s.K + k0 + k];
                    sharedA[k * SimtTile.Pitch + row] = value;
                    int column = s.TransposeB != 0 ? element / SimtTile.Depth : element % SimtTile.Columns;
                    k = s.TransposeB != 0 ? element % SimtTile.Depth : element / SimtTile.Columns;
                    value = 0;
                    if (column0 + column < s.N && k0 + k < s.K)
                        value = s.TransposeB != 0 ? b[(column0 + column) * s.K + k0 + k] : b[(k0 + k) * s.N + column0 + column];
                    sharedB[k * SimtTile.Pitch + column] = value;
                }
                Group.Barrier();
                sums = SimtTile.Multiply(sums, sharedA, sharedB);
                Group.Barrier();
            }
            for (int i = 0; i < 4; i++)
            {
                int row = row0 + SimtTile.ThreadRow + i, column = column0 + SimtTile.ThreadColumn;
                if (row >= s.M)
                    continue;
                var (c0, c1, c2, c3) = SimtTile.Row(sums, i);
                Store(c, s, row, column, c0);
                Store(c, s, row, column + 1, c1);
                Store(c, s, row, column + 2, c2);
                Store(c, s, row, column + 3, c3);
            }
        }

        private static void Store(ArrayView<float> c, GemmShape s, int row, int column, float value)
        {
            if (column < s.N)
                c[row * s.N + column] = value;
        }
    }
}
