using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>Matrix products in fp64 on the processor, for eigenvalue problems. 2·M·N·K FLOPs.</summary>
/// <param name="device">Of kind Cpu.</param>
public sealed unsafe class DoubleProduct(Device device) : IDisposable
{
    private const int Alignment = 64;

    private double* packed;
    private long length;

    /// <summary>c += op(a)·op(b); c [m][n] with rows <paramref name="stride"/> numbers apart. A number's sum has one order, by k alone.</summary>
    /// <param name="upper">Of c only the upper triangle is wanted; below it some numbers change too.</param>
    public void Add(int m, int n, int k, ProductOperand<double> a, ProductOperand<double> b, double* c, long stride, bool upper = false)
    {
        if (m == 0 || n == 0 || k == 0)
            return;
        long need = PackedProduct<double>.PackedLength(m, n, k);
        if (need > length)
        {
            NativeMemory.AlignedFree(packed);
            length = 0;
            packed = (double*)NativeMemory.AlignedAlloc(checked((nuint)(need * sizeof(double))), Alignment);
            length = need;
        }
        new PackedProduct<double>(m, n, k, a, b, c, stride, TileStart.Added, TileStart.Added, upper, packed).Run(device);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(packed);
        packed = null;
        length = 0;
    }
}
