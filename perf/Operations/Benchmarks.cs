using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Operations;

public class ConvolutionForward : OperationBenchmark<ConvolutionShape>
{
    public override IEnumerable<Shape<ConvolutionShape>> Shapes => Operations.Shapes.Convolutions();

    protected override Operation<ConvolutionShape> Operation => Convolution.ForwardOperation;
}

public class ConvolutionBackwardData : OperationBenchmark<ConvolutionShape>
{
    public override IEnumerable<Shape<ConvolutionShape>> Shapes => Operations.Shapes.Convolutions();

    protected override Operation<ConvolutionShape> Operation => Convolution.BackwardDataOperation;
}

public class ConvolutionBackwardWeights : OperationBenchmark<ConvolutionShape>
{
    public override IEnumerable<Shape<ConvolutionShape>> Shapes => Operations.Shapes.Convolutions();

    protected override Operation<ConvolutionShape> Operation => Convolution.BackwardWeightsOperation;
}

public class NetVladForward : OperationBenchmark<NetVladShape>
{
    public override IEnumerable<Shape<NetVladShape>> Shapes => Operations.Shapes.NetVlads();

    protected override Operation<NetVladShape> Operation => NetVlad.ForwardOperation;
}

public class NetVladBackward : OperationBenchmark<NetVladShape>
{
    public override IEnumerable<Shape<NetVladShape>> Shapes => Operations.Shapes.NetVlads();

    protected override Operation<NetVladShape> Operation => NetVlad.BackwardOperation;
}

public class MatrixProduct : OperationBenchmark<GemmShape>
{
    public override IEnumerable<Shape<GemmShape>> Shapes => Operations.Shapes.Products();

    protected override Operation<GemmShape> Operation => Gemm.Operation;
}

public class Search : OperationBenchmark<SearchShape>
{
    public override IEnumerable<Shape<SearchShape>> Shapes => Operations.Shapes.Searches();

    protected override Operation<SearchShape> Operation => NearestNeighbours.Operation;
}
