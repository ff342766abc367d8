using System.Numerics;
using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Images of a batch whose dy has a number other than zero: in training, those of triplets that violate the margin. The others' dx is zero, and they add nothing but zeros to
/// dw and db, so the backward passes of convolutions leave them out; every sum keeps its order, and so its bits. An image that lives shows it within its first
/// numbers, so looking costs one read of the others' dy: 4 bytes each number, where a convolution would do hundreds of operations.
/// </summary>
internal readonly unsafe struct HostLiveImages
{
    private readonly int* numbers;
    private readonly int images;

    /// <param name="workspace"><see cref="Floats"/> numbers.</param>
    public HostLiveImages(Device device, in ConvolutionShape s, float* dy, float* workspace)
    {
        images = s.B;
        numbers = (int*)workspace;
        int* alive = numbers + images;
        device.RunHost(images, new LookTask(dy, (long)s.P * s.Q * s.YPitch, s.Beside, alive));
        int dead = images;
        for (int i = images - 1; i >= 0; i--)
            if (alive[i] == 0)
                numbers[--dead] = i;
        for (int i = 0; i < images; i++)
            if (alive[i] != 0)
                numbers[Count++] = i;
    }

    /// <summary>Floats of workspace, whole cache lines.</summary>
    public static long Floats(int images) => (2L * images + 15) / 16 * 16;

    public int Count { get; }

    /// <summary>Number in the batch of the live image <paramref name="live"/>, ascending.</summary>
    public int this[int live] => numbers[live];

    public bool Contains(int image) => numbers[images + image] != 0;

    /// <summary>dx of the images that do not live.</summary>
    public void ClearOthers(Device device, float* dx, long each) => device.RunHost(images - Count, new ClearTask(dx, each, numbers + Count));

    private readonly struct LookTask(float* dy, long each, int beside, int* alive) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            // Numbers of other maps beside an image's own may keep it among the living, which costs time alone.
            float* from = dy + tile * each, end = from + each - beside;
            // −0 is zero, NaN is not.
            while (end - from >= Vector<float>.Count && Vector.EqualsAll(Vector.Load(from), Vector<float>.Zero))
                from += Vector<float>.Count;
            while (from < end && *from == 0)
                from++;
            alive[tile] = from < end ? 1 : 0;
        }
    }

    private readonly struct ClearTask(float* dx, long each, int* dead) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            for (long done = 0; done < each; done += int.MaxValue)
                new Span<float>(dx + dead[tile] * each + done, (int)Math.Min(int.MaxValue, each - done)).Clear();
        }
    }
}
