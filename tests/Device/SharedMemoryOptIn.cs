using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Kernels that ask for shared memory name as much as their launches take, and no variant asks for more than its chips give.</summary>
[TestFixture]
public sealed class SharedMemoryOptIn
{
    /// <summary>What a block may have on compute capability 8.6 and 8.9, the least from 8.0 on.</summary>
    private const int LeastOfTensorCores = 99 * 1024;

    [Test]
    public void LargeTiles_FitEveryChip_AndSayWhatTheyTake()
    {
        var large = KernelTable.CudaKernels.Where(k => k.DynamicSharedBytes > 0 && !k.Hopper).ToArray();
        Assert.That(large.Select(k => k.Name), Has.Exactly(4).Items.And.All.Contains("128x256x32"));
        Assert.That(large.Select(k => k.DynamicSharedBytes), Has.All.LessThanOrEqualTo(LeastOfTensorCores));
        int launched = TensorTile<LargeTile, Bf16Numbers>.Blocks(1, 1).SharedMemoryConfig.ArraySize;
        Assert.That(large.Select(k => k.DynamicSharedBytes), Has.All.EqualTo(launched));
        Assert.That(TensorTile<WideTile, Bf16Numbers>.DynamicSharedBytes, Is.Zero);
    }
}
