using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>cp.async.bulk.tensor, tiled and im2col, against formulas that are written out here once more, and in a pipeline of two stages.</summary>
[TestFixture]
public sealed class PtxTensorCopies
{
    private const int Rows = 9, Columns = 20;

    private static readonly int[] Numbers = [.. Enumerable.Range(0, 4096).Select(i => 1000 + 7 * i)];

    /// <summary>A map of 9 rows of 20 integers, of which boxes are copied.</summary>
    private static TensorMap Tiled(ulong address, int width, int height, int swizzle = 0, int stride = 1) => new()
    {
        Address = address, ElementBytes = 4, Sizes = [Columns, Rows], Strides = [4 * Columns], Box = [width, height], ElementStrides = [1, stride], Swizzle = swizzle,
    };

    [Test]
    public void ATile_AnywhereOverTheEdges(
        [Values(-4, 0, 13)] int column, [Values(-3, 0, 6)] int row, [Values("8x8:0", "8x8:32", "16x4:64", "32x8:128", "4x16:0", "32x4:128")] string box, [Values(1, 2)] int stride)
    {
        int[] parts = [.. box.Split('x', ':').Select(int.Parse)];
        int width = parts[0], height = parts[1], swizzle = parts[2], lines = (height + stride - 1) / stride, ints = width * lines;
        int[] found = TensorProgram.Run(
            TensorProgram.Head
            + $"@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], {4 * ints}; mov.b32 %r10, {column}; mov.b32 %r11, {row};"
            + "@%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r1], [%rd2, {%r10, %r11}], [%r2];"
            + TensorProgram.Wait("w", 0) + TensorProgram.Out(ints / TensorProgram.Threads * TensorProgram.Threads),
            Numbers, at => Tiled(at, width, height, swizzle, stride));
        for (int i = 0; i < ints / TensorProgram.Threads * TensorProgram.Threads; i++)
        {
            int y = row + i / width * stride, x = column + i % width, place = 4 * i;
            // Of each line's groups of 16 bytes.
            if (swizzle > 0)
                place ^= place / 128 % (swizzle / 16) * 16;
            Assert.That(found[place / 4], Is.EqualTo(y is >= 0 and < Rows && x is >= 0 and < Columns ? Numbers[y * Columns + x] : 0), $"({y}, {x})");
        }
    }

    /// <param name="first">Pixel of the result that a column begins with.</param>
    [Test]
    public void Pixels_OfATap([Values(1, 2)] int stride, [Values(0, 1)] int padding, [Values(0, 1, 2)] int r, [Values(0, 2)] int s, [Values(0, 5, 17)] int first, [Values(0, 4)] int channel)
    {
        const int images = 2, height = 5, width = 6, channels = 8, window = 3, pixels = 32, perPixel = 4;
        int p = (height + 2 * padding - window) / stride + 1, q = (width + 2 * padding - window) / stride + 1;
        int[] found = TensorProgram.Run(
            TensorProgram.Head
            + $"@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 %rd5, [%r2], {16 * pixels}; mov.b32 %r10, {channel}; mov.b32 %r11, {first % q * stride - padding}; mov.b32 %r12, {first / q % p * stride - padding}; mov.b32 %r13, {first / q / p};"
            + $"mov.b16 %rs1, {s}; mov.b16 %rs2, {r};"
            + "@%p1 cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%r1], [%rd2, {%r10, %r11, %r12, %r13}], [%r2], {%rs1, %rs2};"
            + TensorProgram.Wait("w", 0) + TensorProgram.Out(pixels * perPixel),
            Numbers, at => new()
            {
                Address = at, ElementBytes = 4, Sizes = [channels, width, height, images], Strides = [4 * channels, 4 * channels * width, 4 * channels * width * height],
                LowerCorner = [-padding, -padding], UpperCorner = [padding - (window - 1), padding - (window - 1)], ChannelsPerPixel = perPixel, PixelsPerColumn = pixels, ElementStrides = [1, stride, stride, 1],
            });
        for (int i = 0; i < pixels * perPixel; i++)
        {
            int pixel = first + i / perPixel, image = pixel / q / p, y = pixel / q % p * stride - padding + r, x = pixel % q * stride - padding + s, c = channel + i % perPixel;
            bool inside = image < images && y is >= 0 and < height && x is >= 0 and < width;
            Assert.That(found[i], Is.EqualTo(inside ? Numbers[((image * height + y) * width + x) * channels + c] : 0), $"pixel {pixel}, channel {c}");
        }
    }

    /// <summary>
    /// The second warp's first thread copies nine rows through two places, the first warp adds them up: full and empty mbarriers, whose parities change with each round. Without a fault,
    /// for who overwrites a place has waited for those who read it.
    /// </summary>
    [Test]
    public void APipelineOfTwoStages()
    {
        int[] found = TensorProgram.Run(
            TensorProgram.Registers
            + """
              @!%p1 bra made;
              mbarrier.init.shared::cta.b64 [%r2], 1; mbarrier.init.shared::cta.b64 [%r2+8], 1;
              mbarrier.init.shared::cta.b64 [%r2+16], 32; mbarrier.init.shared::cta.b64 [%r2+24], 32;
              fence.mbarrier_init.release.cluster;
              made: bar.sync 0;
              mov.b32 %r14, 0; mov.b32 %r15, 0; mov.b32 %r16, 0;
              setp.lt.s32 %p3, %r0, 32; @%p3 bra consume;
              setp.ne.s32 %p4, %r0, 32; @%p4 bra end;
              fence.proxy.tensormap::generic.acquire.sys [%rd2], 128;
              produce:
              and.b32 %r17, %r14, 1; shl.b32 %r18, %r17, 3; add.s32 %r19, %r2, %r18; shl.b32 %r20, %r17, 7; add.s32 %r21, %r1, %r20; shr.u32 %r22, %r14, 1; xor.b32 %r22, %r22, 1; and.b32 %r22, %r22, 1;
              free: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r19+16], %r22; @!%p2 bra free;
              mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r19], 128;
              cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r21], [%rd2, {%r15, %r14}], [%r19];
              add.s32 %r14, %r14, 1; setp.lt.s32 %p5, %r14, 9; @%p5 bra produce;
              bra end;
              consume:
              and.b32 %r17, %r14, 1; shl.b32 %r18, %r17, 3; add.s32 %r19, %r2, %r18; shl.b32 %r20, %r17, 7; add.s32 %r21, %r4, %r20; shr.u32 %r22, %r14, 1; and.b32 %r22, %r22, 1;
              full: mbarrier.test_wait.parity.shared::cta.b64 %p2, [%r19], %r22; @!%p2 bra full;
              ld.shared.b32 %r23, [%r21]; add.s32 %r16, %r16, %r23;
              mbarrier.arrive.shared::cta.b64 _, [%r19+16];
              add.s32 %r14, %r14, 1; setp.lt.s32 %p5, %r14, 9; @%p5 bra consume;
              st.global.b32 [%rd4], %r16;
              end: ret;
              """,
            Numbers, at => Tiled(at, 32, 1));
        for (int column = 0; column < 32; column++)
            Assert.That(found[column], Is.EqualTo(column < Columns ? Enumerable.Range(0, Rows).Sum(row => Numbers[row * Columns + column]) : 0), $"{column}");
    }

    [TestCase("the innermost line of a box has 24 bytes", 6, 8, 0)]
    [TestCase("lines of 64 bytes are not swizzled by 32", 16, 8, 32)]
    [TestCase("a box has 1 to 256 numbers", 8, 257, 0)]
    public void AMapThatTheDriverWouldRefuse_IsRefused(string why, int width, int height, int swizzle)
        => Assert.That(() => Tiled(0x1000, width, height, swizzle).Encode(), Throws.ArgumentException.With.Message.Contains(why));

    [Test]
    public void AMap_SaysWhatItWasTold()
    {
        var map = new TensorMap
        {
            Address = 0x7_0000_0100, ElementBytes = 2, Sizes = [64, 30, 40, 48], Strides = [128, 3840, 153600], LowerCorner = [-1, -3], UpperCorner = [-2, 1], ChannelsPerPixel = 64, PixelsPerColumn = 256,
            ElementStrides = [1, 2, 2, 1], Swizzle = 128,
        };
        var read = TensorMap.Decode(map.Encode())!;
        Assert.That(read, Is.EqualTo(map).Using<TensorMap, TensorMap>((a, b) => System.Text.Json.JsonSerializer.Serialize(a) == System.Text.Json.JsonSerializer.Serialize(b)));
        Assert.That(TensorMap.Decode(new byte[TensorMap.Bytes]), Is.Null);
    }
}
