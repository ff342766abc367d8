using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>A batch whose gradient is to be scaled.</summary>
/// <param name="Divisor">What the sum of its gradients is divided by; 0 for its violating triplets.</param>
public readonly record struct UpdateScaleShape(int Tuples, float Divisor);

/// <summary>
/// By what the gradient of a batch is multiplied before <see cref="SgdUpdate"/>, found where the loss is, so that the host need not wait for it:
/// <code>
/// scale ← 1 / max(1, Divisor or Σ violating)         loss, violating [Tuples], scale [1]
///         0     where every loss is 0                no triplet violates the margin: no update
///         NaN   where a loss is not finite, or scale was NaN
/// </code>
/// After a loss that is not finite no later batch touches a parameter, until the host has found out and sets the scale to a number again. One thread; a few dozen numbers.
/// </summary>
public static class UpdateScale
{
    public static readonly Operation<UpdateScaleShape> Operation = new()
    {
        Name = "sgd.scale",
        Contract = "scale = 1 / max(1, Divisor or Σ violating); 0 where all losses are 0, NaN where one is not finite or scale was NaN   loss, violating [Tuples], scale [1]",
        Check = s => s.Tuples < 0 ? "Tuples must not be negative" : s.Divisor >= 0 ? null : "Divisor must be 0 or more",
        Buffers = s => [new("loss", s.Tuples, Access.Read), new("violating", s.Tuples, Access.Read, IsIndex: true), new("scale", 1, Access.ReadWrite)],
        Flops = s => 2.0 * s.Tuples,
        // One division.
        Tolerance = _ => 1.2e-7,
        Variants =
        [
            new("host", VariantKind.Host, RunPlain),
            new("simt", VariantKind.Simt, RunSimt, kernels: Simt.Scale),
            new("reference", VariantKind.Reference, RunPlain),
        ],
        Examples = [new(0, 0), new(1, 0), new(3, 0), new(4, 0), new(4, 10), new(70, 0), new(2, 0.25f)],
        Fill = FillExample,
    };

    /// <inheritdoc cref="UpdateScale"/>
    public static void Run(Device device, in UpdateScaleShape shape, ArrayView<float> loss, ArrayView<float> violating, ArrayView<float> scale)
        => Operation.Run(device, shape, [loss, violating, scale], default);

    private static void RunPlain(Device device, in UpdateScaleShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        Span<float> loss = HostMemory.Span(buffers[0]), violating = HostMemory.Span(buffers[1]);
        ref float scale = ref HostMemory.Span(buffers[2])[0];
        bool finite = !float.IsNaN(scale), any = false;
        int count = 0;
        for (int t = 0; t < s.Tuples; t++)
        {
            finite &= float.IsFinite(loss[t]);
            any |= loss[t] != 0;
            count += BitConverter.SingleToInt32Bits(violating[t]);
        }
        scale = !finite ? float.NaN : any ? 1f / Math.Max(1, s.Divisor > 0 ? s.Divisor : count) : 0;
    }

    private static void RunSimt(Device device, in UpdateScaleShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => Simt.Scale.On(device)(new KernelConfig(1, 1), buffers[0], buffers[1], buffers[2], s);

    private static class Simt
    {
        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, UpdateScaleShape>> Scale =
            new("sgd.scale.simt", Kernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, UpdateScaleShape>(Kernel));

        private static void Kernel(ArrayView<float> loss, ArrayView<float> violating, ArrayView<float> scale, UpdateScaleShape s)
        {
            float before = scale[0];
            bool finite = before <= float.MaxValue, any = false;
            int count = 0;
            for (int t = 0; t < s.Tuples; t++)
            {
                float value = loss[t];
                finite = finite && value <= float.MaxValue && value >= -float.MaxValue;
                any = any || value != 0;
                count += (int)Interop.FloatAsInt(violating[t]);
            }
            float divisor = s.Divisor > 0 ? s.Divisor : count;
            scale[0] = !finite ? float.NaN : any ? PtxMath.Divide(1, divisor < 1 ? 1 : divisor) : 0;
        }
    }

    /// <summary>Losses as hinges leave them, some 0; in one example all.</summary>
    private static bool FillExample(UpdateScaleShape s, string buffer, Random random, float[] values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = buffer switch
            {
                "loss" => s.Tuples == 3 || random.Next(4) == 0 ? 0 : random.NextSingle(),
                "violating" => BitConverter.Int32BitsToSingle(random.Next(10)),
                _ => 0.5f,
            };
        return true;
    }
}
