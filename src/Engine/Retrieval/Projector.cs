using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>A <see cref="Projection"/> made ready on a device: its weight uploaded, memory for batches of a largest size allocated once.</summary>
internal sealed class Projector : IDisposable
{
    private readonly Device device;
    private readonly Projection projection;
    private readonly DeviceBuffer weight, prepared, output, workspace;

    public Projector(Device device, Projection projection, int maxRows)
    {
        this.device = device;
        this.projection = projection;
        weight = device.Allocate(projection.Weight);
        output = device.Allocate((long)maxRows * projection.OutputLength);
        var shape = Shape(maxRows);
        workspace = device.Allocate(Workspace(device, projection, maxRows));
        prepared = device.Allocate(Gemm.Operation.Prepared(device, shape));
        if (prepared.Length > 0)
            Gemm.Operation.Prepare(device, shape, [default, weight.View, default], prepared.View);
    }

    /// <summary>Bytes that it allocates on the device.</summary>
    public static long Bytes(Device device, Projection projection, int maxRows)
    {
        var shape = Shape(projection, maxRows);
        return sizeof(float) * (projection.Weight.LongLength + (long)maxRows * projection.OutputLength
            + Workspace(device, projection, maxRows) + Gemm.Operation.Prepared(device, shape));
    }

    /// <summary>The largest need of any number of rows: fewer may be cut into larger tiles, or computed by another variant.</summary>
    private static long Workspace(Device device, Projection projection, int maxRows)
        => Enumerable.Range(1, maxRows).Max(rows => Gemm.Operation.PreparedWorkspace(device, Shape(projection, rows)));

    /// <summary>Projects rows [rows, D] of the device into host memory [rows, d] and L2-normalises them.</summary>
    public void Apply(ArrayView<float> x, int rows, Span<float> result)
    {
        device.Download(Start(x, rows), result);
        Finish(result[..(rows * projection.OutputLength)]);
    }

    /// <summary>Enqueues the projection of rows [rows, D] of the device.</summary>
    /// <returns>[rows, d] on the device, valid until the next call, without what <see cref="Finish"/> adds.</returns>
    public ArrayView<float> Start(ArrayView<float> x, int rows)
    {
        using var range = device.Range("projection");
        if (rows > 0)
            Gemm.Operation.RunPrepared(device, Shape(rows), [x, weight, output], prepared, workspace);
        return output.View.SubView(0, (long)rows * projection.OutputLength);
    }

    /// <summary>Adds the bias to rows [rows, d] of the host and L2-normalises them.</summary>
    public void Finish(Span<float> rows)
    {
        int d = projection.OutputLength;
        for (; rows.Length > 0; rows = rows[d..])
        {
            var row = rows[..d];
            for (int j = 0; j < d; j++)
                row[j] += projection.Bias[j];
            DescriptorMatrix.Normalise(row);
        }
    }

    private GemmShape Shape(int rows) => Shape(projection, rows);

    private static GemmShape Shape(Projection projection, int rows) => new(rows, projection.OutputLength, projection.InputLength, TransposeA: 0, TransposeB: 1);

    public void Dispose()
    {
        weight.Dispose();
        prepared.Dispose();
        output.Dispose();
        workspace.Dispose();
    }
}
