using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Describes one image after the other that stands in memory, such as a camera's frames, PCA included: the same descriptors, bit for bit, that <see cref="Extractor"/> makes of the same pixels.
/// Memory for images of the size that came last is kept, so frames of one size allocate nothing on the device; another size takes that memory's place. Many files are quicker by <see cref="Extractor"/>.
/// </summary>
/// <param name="network">
/// Outlives the describer, and may learn in between. Its device runs one thing at a time: whatever else uses it must not do so meanwhile.
/// </param>
public sealed class ImageDescriber(Network network) : IDisposable
{
    private readonly PreparedParameters prepared = new(network.Device);
    private readonly Lock gate = new();
    private NetworkPlan? plan;
    private Projector? projector;
    private Projection? projection;
    private float[] pixels = [];
    private bool disposed;

    /// <summary>Numbers of a descriptor.</summary>
    public int Dimension => network.DescriptorLength;

    /// <summary>Describes an image, resized as the network's settings say.</summary>
    /// <returns>[<see cref="Dimension"/>], of length 1.</returns>
    /// <inheritdoc cref="Describe(PixelImage, Span{float})"/>
    public float[] Describe(PixelImage image)
    {
        var descriptor = new float[Dimension];
        Describe(image, descriptor);
        return descriptor;
    }

    /// <summary>The same without a new array. One thread at a time; others wait.</summary>
    /// <param name="descriptor">[<see cref="Dimension"/>]</param>
    /// <exception cref="UserErrorException">The image is too small for the network, or NetVLAD has no clusters yet.</exception>
    public void Describe(PixelImage image, Span<float> descriptor)
    {
        if (descriptor.Length != Dimension)
            throw new ArgumentException($"A descriptor has {Dimension} numbers, not {descriptor.Length}.", nameof(descriptor));
        DescribeAsIs(image.Resized(network.Settings.Resize), descriptor);
    }

    /// <summary>The same of an image that has its size.</summary>
    internal void DescribeAsIs(PixelImage image, Span<float> descriptor)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Fit(image.Height, image.Width);
            image.CopyTo(pixels);
            network.Device.Upload(pixels, plan!.Input);
            var pooled = plan.Forward(1);
            if (projector is null)
                network.Device.Download(pooled, descriptor);
            else
                projector.Apply(pooled, 1, descriptor);
        }
    }

    private void Fit(int height, int width)
    {
        if (plan?.InputShape is not { } shape || (shape.Height, shape.Width) != (height, width))
        {
            // The old one first: both together may be more than there is.
            plan?.Dispose();
            plan = null;
            plan = network.Plan(1, height, width, prepared);
            pixels = new float[plan.InputLength];
        }
        if (projection == network.Pca)
            return;
        projector?.Dispose();
        projector = null;
        projector = network.Pca is { } pca ? new(network.Device, pca, 1) : null;
        projection = network.Pca;
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            plan?.Dispose();
            projector?.Dispose();
            prepared.Dispose();
            (plan, projector) = (null, null);
        }
    }
}
