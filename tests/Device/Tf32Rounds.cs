using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Rounding to tf32 by a product with 1 + 2⁻¹¹, of which the hardware drops the last 13 bits.</summary>
[TestFixture]
public sealed class Tf32Rounds
{
    [Test]
    public void ErrorIsAtMostHalfAUnit_AndWhatTf32HoldsStays()
    {
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            float value = BitConverter.UInt32BitsToSingle((uint)random.NextInt64(0x0100_0000, 0x7F00_0000) | (i % 2 == 0 ? 0 : 0x8000_0000));
            float held = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & ~0x1FFFu);
            // The product itself is rounded to fp32.
            Assert.That(Math.Abs((double)Round(value) - value), Is.LessThanOrEqualTo(Math.Abs((double)value) * (1 / 2048.0 + 1.2e-7)), value.ToString("R"));
            Assert.That(Round(held), Is.EqualTo(held));
        }
    }

    [Test]
    public void InfinitiesAndNaNStay()
    {
        Assert.That(Round(float.PositiveInfinity), Is.EqualTo(float.PositiveInfinity));
        Assert.That(Round(float.NegativeInfinity), Is.EqualTo(float.NegativeInfinity));
        Assert.That(Round(0), Is.Zero);
        // What a GPU's own arithmetic gives has all bits set.
        foreach (uint bits in (uint[])[0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FC0_0000, 0xFFC0_0000])
            Assert.That(Round(BitConverter.UInt32BitsToSingle(bits)), Is.NaN);
    }

    private static float Round(float value)
    {
        var fragment = TensorCore.RoundColumns(new FragmentB { N01 = new() { X = BitConverter.SingleToUInt32Bits(value) } });
        return BitConverter.UInt32BitsToSingle(fragment.N01.X & ~0x1FFFu);
    }
}
