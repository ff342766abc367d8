using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class NetVlad
{
    /// <summary>Both passes on CUDA, with one kind of products.</summary>
    private static class Cuda<TProducts>
        where TProducts : struct, INetVladProducts
    {
        public static SimtKernel[] ForwardKernels => [.. TProducts.ForwardKernels, .. NetVladKernels.All];

        public static SimtKernel[] BackwardKernels => [.. TProducts.BackwardKernels, .. NetVladKernels.All, .. NetVladGradientKernels.All];

        /// <summary>What <see cref="NetVladLayout"/> tells | moments | scratch memory of products.</summary>
        public static long ForwardWorkspace(Device device, NetVladShape s) => Kept(s) + TProducts.Scratch(s, backward: false);

        /// <summary>y, two scalars an image, dV, c·dV, x·dV and ds, dx̂ where dx is bf16, and then what the forward pass takes.</summary>
        public static long BackwardWorkspace(Device device, NetVladShape s)
            => UnitGradient(s) + 2 * Room(s.YLength) + Room(2 * s.B) + Room(s.B * s.K) + Room((long)TProducts.DotParts * s.B * s.N * s.K) + Room(s.B * s.N * s.K) + Kept(s)
                + TProducts.Scratch(s, backward: true);

        private static long UnitGradient(in NetVladShape s) => s.XBf16 != 0 && s.SkipData == 0 ? Room(s.XLength) : 0;

        private static long Kept(in NetVladShape s) => Room(NetVladLayout.Length(s)) + Room(TProducts.MomentsOf(s).Length(s));

        public static void Forward(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B > 0)
                Forward(device, s, v[0], v[1], v[2], v[3], v[4], workspace);
        }

        private static void Forward(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> c, ArrayView<float> y, ArrayView<float> workspace)
        {
            var layout = TProducts.MomentsOf(s);
            var kept = Take(ref workspace, NetVladLayout.Length(s));
            var moments = Take(ref workspace, layout.Length(s));
            TProducts.Dots(device, s, x, w, kept, workspace);
            NetVladKernels.Soften.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), x, b, kept, s);
            TProducts.Moments(device, s, x, Inverse(kept, s), kept, moments, workspace);
            NetVladKernels.Residual.On(device)(new KernelConfig(s.B * s.K, SimtSum.Threads), moments, c, kept, s, layout);
            NetVladKernels.Intra.On(device)(new KernelConfig(s.B * s.K, SimtSum.Threads), kept, s);
            NetVladKernels.Final.On(device)(new KernelConfig(s.B, SimtSum.Threads), kept, y, s);
        }

        public static void Backward(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        {
            if (s.B == 0)
            {
                for (int i = 6; i < 9; i++)
                    device.Clear(v[i]);
                return;
            }
            var (x, w, b, c, dy) = (v[0], v[1], v[2], v[3], v[4]);
            var y = Take(ref workspace, s.YLength);
            var scalars = Take(ref workspace, 2 * s.B);
            var residual = Take(ref workspace, s.YLength);
            var centre = Take(ref workspace, s.B * s.K);
            var dots = Take(ref workspace, (long)TProducts.DotParts * s.B * s.N * s.K);
            var logits = Take(ref workspace, s.B * s.N * s.K);
            var unit = UnitGradient(s) > 0 ? Take(ref workspace, s.XLength) : v[5];
            Forward(device, s, x, w, b, c, y, workspace);
            var layout = TProducts.MomentsOf(s);
            var kept = Take(ref workspace, NetVladLayout.Length(s));
            var moments = Take(ref workspace, layout.Length(s));
            NetVladGradientKernels.Unnormalize.On(device)(new KernelConfig(s.B, SimtSum.Threads), kept, y, dy, scalars, s);
            NetVladGradientKernels.ClusterGradient.On(device)(new KernelConfig(s.B * s.K, SimtSum.Threads), kept, y, dy, c, scalars, residual, centre, s);
            TProducts.ImageDots(device, s, x, residual, dots, workspace);
            NetVladGradientKernels.LogitGradient.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), kept, dots, centre, logits, s, TProducts.DotParts);
            if (s.SkipData == 0)
            {
                TProducts.Spread(device, s, kept, residual, logits, w, unit, workspace);
                if (s.XBf16 != 0)
                    NetVladGradientKernels.Bf16DataGradient.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), kept, x, unit, v[5], s);
                else
                    NetVladGradientKernels.DataGradient.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), kept, x, v[5], s);
            }
            TProducts.Moments(device, s, x, Inverse(kept, s), logits, moments, workspace);
            NetVladGradientKernels.ParameterGradient.On(device)(NetVladKernels.ClusterGrid(s, 1), kept, moments, residual, v[6], v[8], s, layout);
            if (s.HasBias != 0)
                NetVladGradientKernels.BiasGradient.On(device)(new KernelConfig(s.K, SimtSum.Threads), logits, v[7], s);
        }

        private static ArrayView<float> Inverse(ArrayView<float> kept, in NetVladShape s) => kept.SubView(NetVladLayout.InverseAt(s), s.B * s.N);

        /// <summary>Pieces of the workspace begin at multiples of 64 bytes, as it does itself.</summary>
        private static long Room(long length) => (length + 15) / 16 * 16;

        private static ArrayView<float> Take(ref ArrayView<float> workspace, long length)
        {
            var taken = workspace.SubView(0, length);
            // A view may not begin behind the last number, even if it is empty.
            workspace = workspace.Length > Room(length) ? workspace.SubView(Room(length), workspace.Length - Room(length)) : default;
            return taken;
        }
    }
}
