using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class NetVlad
{
    private static void ForwardSimt(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.RunForward(device, s, v[0], v[1], v[2], v[3], v[4], workspace);
    }

    private static void BackwardSimt(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var (x, w, b, c, dy) = (v[0], v[1], v[2], v[3], v[4]);
        if (s.B > 0)
        {
            // y, its gradient's two scalars an image, dV and c·dV follow what the forward pass leaves in the workspace.
            var y = workspace.SubView(Simt.ForwardWorkspace(s), s.YLength);
            var scalars = workspace.SubView(Simt.ForwardWorkspace(s) + s.YLength, 2 * s.B);
            var residual = workspace.SubView(Simt.ForwardWorkspace(s) + s.YLength + 2 * s.B, s.YLength);
            var centre = workspace.SubView(Simt.ForwardWorkspace(s) + 2 * s.YLength + 2 * s.B, s.B * s.K);
            var logits = workspace.SubView(Simt.ForwardWorkspace(s) + 2 * s.YLength + 2 * s.B + s.B * s.K, s.B * s.N * s.K);
            Simt.RunForward(device, s, x, w, b, c, y, workspace);
            Simt.Unnormalize.On(device)(new KernelConfig(s.B, SimtSum.Threads), workspace, y, dy, scalars, s);
            Simt.ClusterGradient.On(device)(new KernelConfig(s.B * s.K, SimtSum.Threads), workspace, y, dy, c, scalars, residual, centre, s);
            Simt.LogitGradient.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), workspace, x, residual, centre, logits, s);
            if (s.SkipData == 0)
                Simt.DataGradient.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), workspace, x, w, residual, logits, v[5], s);
            Simt.ParameterGradient.On(device)(Simt.ClusterGrid(s, 1), workspace, x, residual, logits, v[6], v[7], v[8], s);
        }
        else
            for (int i = 6; i < 9; i++)
                device.Clear(v[i]);
    }

    /// <summary>
    /// Plain kernels with 64 threads: a group a local descriptor for assignments, a thread a number of V for sums over descriptors.
    /// Workspace of the forward pass: assignments [B,N,K] | 1/‖x‖ [B,N] | mass Σa [B,K] | V then V̂ [B,K,D] | ‖V‖² [B,K] | ‖vec V̂‖² [B].
    /// </summary>
    private static class Simt
    {
        public static long ForwardWorkspace(NetVladShape s) => InverseAt(s) + s.B * s.N + s.B * s.K + s.YLength + s.B * s.K + s.B;

        public static long BackwardWorkspace(NetVladShape s) => ForwardWorkspace(s) + 2L * s.YLength + 2 * s.B + s.B * s.K + s.B * s.N * s.K;

        private static int InverseAt(NetVladShape s) => s.B * s.N * s.K;

        private static int MassAt(NetVladShape s) => InverseAt(s) + s.B * s.N;

        private static int ResidualAt(NetVladShape s) => MassAt(s) + s.B * s.K;

        private static int SquareAt(NetVladShape s) => ResidualAt(s) + s.YLength;

        private static int FinalAt(NetVladShape s) => SquareAt(s) + s.B * s.K;

        public static KernelConfig ClusterGrid(NetVladShape s, int images)
            => new(new Index3D((s.D + SimtSum.Threads - 1) / SimtSum.Threads, s.K, images), new Index3D(SimtSum.Threads, 1, 1));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Assign =
            new("netvlad.assign.simt", AssignKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(AssignKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Aggregate =
            new("netvlad.aggregate.simt", AggregateKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(AggregateKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, NetVladShape>> Intra =
            new("netvlad.intra-normalization.simt", IntraKernel, a => a.LoadStreamKernel<ArrayView<float>, NetVladShape>(IntraKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, NetVladShape>> Final =
            new("netvlad.final-normalization.simt", FinalKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, NetVladShape>(FinalKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Unnormalize =
            new("netvlad.unnormalize.simt", UnnormalizeKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(UnnormalizeKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> ClusterGradient =
            new("netvlad.cluster-gradient.simt", ClusterGradientKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(ClusterGradientKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> LogitGradient =
            new("netvlad.logit-gradient.simt", LogitGradientKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(LogitGradientKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> DataGradient =
            new("netvlad.data-gradient.simt", DataGradientKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(DataGradientKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> ParameterGradient =
            new("netvlad.parameter-gradient.simt", ParameterGradientKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(ParameterGradientKernel));

        public static void RunForward(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> c, ArrayView<float> y, ArrayView<float> workspace)
        {
            Assign.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), x, w, b, workspace, s);
            Aggregate.On(device)(ClusterGrid(s, s.B), x, c, workspace, s);
            Intra.On(device)(new KernelConfig(s.B * s.K, SimtSum.Threads), workspace, s);
            Final.On(device)(new KernelConfig(s.B, SimtSum.Threads), workspace, y, s);
        }

        private static void AssignKernel(ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> workspace, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int row = Grid.IdxX, start = row * s.D, to = row * s.K;
            float square = 0;
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                square = PtxMath.Fma(x[start + d], x[start + d], square);
            float inverse = PtxMath.Divide(1, SimtSum.Norm(SimtSum.Over(square, shared), s.SoftFloor));
            float largest = float.NegativeInfinity;
            for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
            {
                float logit = 0;
                for (int d = 0; d < s.D; d++)
                    logit = PtxMath.Fma(w[k * s.D + d], x[start + d], logit);
                logit *= inverse;
                if (s.HasBias != 0)
                    logit += b[k];
                workspace[to + k] = logit;
                largest = largest > logit ? largest : logit;
            }
            shared[Group.IdxX] = largest;
            Group.Barrier();
            for (int half = SimtSum.Threads / 2; half > 0; half /= 2)
            {
                if (Group.IdxX < half && shared[Group.IdxX + half] > shared[Group.IdxX])
                    shared[Group.IdxX] = shared[Group.IdxX + half];
                Group.Barrier();
            }
            largest = shared[0];
            Group.Barrier();
            float total = 0;
            for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
            {
                float value = PtxMath.Exp(workspace[to + k] - largest);
                workspace[to + k] = value;
                total += value;
            }
            total = SimtSum.Over(total, shared);
            for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
                workspace[to + k] = PtxMath.Divide(workspace[to + k], total);
            if (Group.IdxX == 0)
                workspace[InverseAt(s) + row] = inverse;
        }

        private static void AggregateKernel(ArrayView<float> x, ArrayView<float> c, ArrayView<float> workspace, NetVladShape s)
        {
            int d = Grid.IdxX * SimtSum.Threads + Group.IdxX, k = Grid.IdxY, image = Grid.IdxZ;
            if (d >= s.D)
                return;
            float sum = 0, mass = 0;
            for (int i = 0; i < s.N; i++)
            {
                int row = image * s.N + i;
                float a = workspace[row * s.K + k];
                sum = PtxMath.Fma(a * workspace[InverseAt(s) + row], x[row * s.D + d], sum);
                mass += a;
            }
            workspace[ResidualAt(s) + (image * s.K + k) * s.D + d] = sum - mass * c[k * s.D + d];
            if (d == 0)
                workspace[MassAt(s) + image * s.K + k] = mass;
        }

        private static void IntraKernel(ArrayView<float> workspace, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int start = ResidualAt(s) + Grid.IdxX * s.D;
            float square = 0;
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                square = PtxMath.Fma(workspace[start + d], workspace[start + d], square);
            square = SimtSum.Over(square, shared);
            float norm = SimtSum.Norm(square, s.SoftFloor);
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                workspace[start + d] = PtxMath.Divide(workspace[start + d], norm);
            if (Group.IdxX == 0)
                workspace[SquareAt(s) + Grid.IdxX] = square;
        }

        private static void FinalKernel(ArrayView<float> workspace, ArrayView<float> y, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int length = s.K * s.D, from = ResidualAt(s) + Grid.IdxX * length, to = Grid.IdxX * length;
            float square = 0;
            for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
                square = PtxMath.Fma(workspace[from + i], workspace[from + i], square);
            square = SimtSum.Over(square, shared);
            float norm = SimtSum.Norm(square, s.SoftFloor);
            for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
                y[to + i] = PtxMath.Divide(workspace[from + i], norm);
            if (Group.IdxX == 0)
                workspace[FinalAt(s) + Grid.IdxX] = square;
        }

        /// <summary>y·dy and 1/‖vec V̂‖ of an image.</summary>
        private static void UnnormalizeKernel(ArrayView<float> workspace, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> scalars, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int length = s.K * s.D, start = Grid.IdxX * length;
            float along = 0;
            for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
                along = PtxMath.Fma(y[start + i], dy[start + i], along);
            along = SimtSum.Over(along, shared);
            if (Group.IdxX != 0)
                return;
            scalars[2 * Grid.IdxX] = along;
            scalars[2 * Grid.IdxX + 1] = SimtSum.GradientScale(workspace[FinalAt(s) + Grid.IdxX], s.SoftFloor);
        }

        /// <summary>dV_k and c_k·dV_k of an image's cluster.</summary>
        private static void ClusterGradientKernel(ArrayView<float> workspace, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> c, ArrayView<float> scalars,
            ArrayView<float> residual, ArrayView<float> centre, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int image = Grid.IdxX / s.K, k = Grid.IdxX % s.K, start = Grid.IdxX * s.D, unit = ResidualAt(s) + start;
            float along = scalars[2 * image], scale = scalars[2 * image + 1], within = 0;
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                within = PtxMath.Fma(workspace[unit + d], (dy[start + d] - y[start + d] * along) * scale, within);
            within = SimtSum.Over(within, shared);
            float inner = SimtSum.GradientScale(workspace[SquareAt(s) + Grid.IdxX], s.SoftFloor), towards = 0;
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            {
                float value = ((dy[start + d] - y[start + d] * along) * scale - workspace[unit + d] * within) * inner;
                residual[start + d] = value;
                towards = PtxMath.Fma(c[k * s.D + d], value, towards);
            }
            towards = SimtSum.Over(towards, shared);
            if (Group.IdxX == 0)
                centre[Grid.IdxX] = towards;
        }

        /// <summary>ds of a local descriptor.</summary>
        private static void LogitGradientKernel(ArrayView<float> workspace, ArrayView<float> x, ArrayView<float> residual, ArrayView<float> centre, ArrayView<float> logits, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int row = Grid.IdxX, image = row / s.N;
            float inverse = workspace[InverseAt(s) + row], mean = 0;
            for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
            {
                float sum = 0;
                for (int d = 0; d < s.D; d++)
                    sum = PtxMath.Fma(x[row * s.D + d], residual[(image * s.K + k) * s.D + d], sum);
                sum = sum * inverse - centre[image * s.K + k];
                logits[row * s.K + k] = sum;
                mean = PtxMath.Fma(workspace[row * s.K + k], sum, mean);
            }
            mean = SimtSum.Over(mean, shared);
            for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
                logits[row * s.K + k] = workspace[row * s.K + k] * (logits[row * s.K + k] - mean);
        }

        private static void DataGradientKernel(ArrayView<float> workspace, ArrayView<float> x, ArrayView<float> w, ArrayView<float> residual, ArrayView<float> logits, ArrayView<float> dx, NetVladShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int row = Grid.IdxX, image = row / s.N;
            float inverse = workspace[InverseAt(s) + row], inward = 0, square = 0;
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            {
                float sum = 0;
                for (int k = 0; k < s.K; k++)
                {
                    sum = PtxMath.Fma(workspace[row * s.K + k], residual[(image * s.K + k) * s.D + d], sum);
                    sum = PtxMath.Fma(logits[row * s.K + k], w[k * s.D + d], sum);
                }
                dx[row * s.D + d] = sum;
                float value = x[row * s.D + d];
                inward = PtxMath.Fma(value * inverse, sum, inward);
                square = PtxMath.Fma(value, value, square);
            }
            inward = SimtSum.Over(inward, shared);
            float scale = SimtSum.GradientScale(SimtSum.Over(square, shared), s.SoftFloor);
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                dx[row * s.D + d] = (dx[row * s.D + d] - x[row * s.D + d] * inverse * inward) * scale;
        }

        private static void ParameterGradientKernel(ArrayView<float> workspace, ArrayView<float> x, ArrayView<float> residual, ArrayView<float> logits,
            ArrayView<float> dw, ArrayView<float> db, ArrayView<float> dc, NetVladShape s)
        {
            int d = Grid.IdxX * SimtSum.Threads + Group.IdxX, k = Grid.IdxY;
            if (d >= s.D)
                return;
            float weight = 0, bias = 0, centre = 0;
            for (int image = 0; image < s.B; image++)
            {
                float sum = 0, sumBias = 0;
                for (int i = 0; i < s.N; i++)
                {
                    int row = image * s.N + i;
                    float ds = logits[row * s.K + k];
                    sum = PtxMath.Fma(ds * workspace[InverseAt(s) + row], x[row * s.D + d], sum);
                    sumBias += ds;
                }
                weight += sum;
                bias += sumBias;
                centre -= workspace[MassAt(s) + image * s.K + k] * residual[(image * s.K + k) * s.D + d];
            }
            dw[k * s.D + d] = weight;
            dc[k * s.D + d] = centre;
            if (d == 0 && s.HasBias != 0)
                db[k] = bias;
        }
    }
}
