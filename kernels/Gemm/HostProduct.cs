using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>Matrix products on the processor that add to a part of a matrix, for eigenvalue problems. 2·M·N·K FLOPs.</summary>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="device">Of kind Cpu.</param>
public sealed unsafe class HostProduct<T>(Device device) : IDisposable
    where T : unmanaged
{
    private const int Alignment = 64;

    private T* packed;
    private long length;

    /// <summary>c += op(a)·op(b); c [m][n] with rows <paramref name="stride"/> numbers apart. A number's sum has one order, by k alone.</summary>
    /// <param name="upper">Of c only the upper triangle is wanted; below it some numbers change too.</param>
    public void Add(int m, int n, int k, ProductOperand<T> a, ProductOperand<T> b, T* c, long stride, bool upper = false)
    {
        if (m == 0 || n == 0 || k == 0)
            return;
        long need = PackedProduct<T>.PackedLength(m, n, k);
        if (need > length)
        {
            // Twice what there was, where sizes grow from call to call; what is not needed is never touched.
            need = Math.Max(need, 2 * length);
            NativeMemory.AlignedFree(packed);
            length = 0;
            packed = (T*)NativeMemory.AlignedAlloc(checked((nuint)(need * Unsafe.SizeOf<T>())), Alignment);
            length = need;
        }
        new PackedProduct<T>(m, n, k, a, b, c, stride, TileStart.Added, TileStart.Added, upper, packed).Run(device);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(packed);
        packed = null;
        length = 0;
    }
}
