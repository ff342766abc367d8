using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Operations;

public class ConvolutionForward() : OperationBenchmark<ConvolutionShape>(Convolution.ForwardOperation, "vgg16", "squeezenet", "alexnet", "direct", "vgg16-training", "city-training");

public class ConvolutionForwardPooled() : OperationBenchmark<ConvolutionShape>(Convolution.ForwardPooledOperation, "vgg16-pooled");

public class ConvolutionBackwardData() : OperationBenchmark<ConvolutionShape>(Convolution.BackwardDataOperation, "vgg16-training", "city-training", "squeezenet", "alexnet");

public class ConvolutionBackwardWeights() : OperationBenchmark<ConvolutionShape>(Convolution.BackwardWeightsOperation, "vgg16-training", "city-training", "squeezenet", "alexnet");

public class MaxPoolingForward() : OperationBenchmark<PoolingShape>(MaxPooling.ForwardOperation, "max-pooling");

public class MaxPoolingBackward() : OperationBenchmark<PoolingShape>(MaxPooling.BackwardOperation, "max-pooling");

public class L2NormalizationForward() : OperationBenchmark<RowsShape>(L2Normalization.ForwardOperation, "rows");

public class L2NormalizationBackward() : OperationBenchmark<RowsShape>(L2Normalization.BackwardOperation, "rows");

public class NetVladForward() : OperationBenchmark<NetVladShape>(NetVlad.ForwardOperation, "netvlad");

public class NetVladBackward() : OperationBenchmark<NetVladShape>(NetVlad.BackwardOperation, "netvlad");

public class GlobalMaxForward() : OperationBenchmark<GlobalPoolingShape>(GlobalPooling.MaxForwardOperation, "global-pooling");

public class GlobalMaxBackward() : OperationBenchmark<GlobalPoolingShape>(GlobalPooling.MaxBackwardOperation, "global-pooling");

public class GlobalAverageForward() : OperationBenchmark<GlobalPoolingShape>(GlobalPooling.AverageForwardOperation, "global-pooling");

public class GlobalAverageBackward() : OperationBenchmark<GlobalPoolingShape>(GlobalPooling.AverageBackwardOperation, "global-pooling");

public class LocalResponseForward() : OperationBenchmark<LocalResponseShape>(LocalResponse.ForwardOperation, "local-response");

public class LocalResponseBackward() : OperationBenchmark<LocalResponseShape>(LocalResponse.BackwardOperation, "local-response");

public class MatrixProduct() : OperationBenchmark<GemmShape>(Gemm.Operation, "products");

public class Update() : OperationBenchmark<SgdShape>(SgdUpdate.Operation, "sgd");

public class Sum() : OperationBenchmark<AdditionShape>(Addition.Operation, "addition");

public class Search() : OperationBenchmark<SearchShape>(NearestNeighbours.Operation, "search");

public class WeakLoss() : OperationBenchmark<RankingShape>(RankingLoss.WeakOperation, "ranking");

public class TripletLoss() : OperationBenchmark<RankingShape>(RankingLoss.TripletOperation, "triplets");

public class ContrastiveLoss() : OperationBenchmark<RankingShape>(RankingLoss.ContrastiveOperation, "ranking");
