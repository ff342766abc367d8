using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>One tuple a file: its rows stand in one matrix of descriptors.</summary>
public abstract class GoldenRankingLoss(string op, Operation<RankingShape> operation) : IGoldenOperation
{
    public string Op => op;

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int positives = file.Tensor("p").Shape[0], negatives = file.Tensor("n").Shape[0], images = 1 + positives + negatives;
        var shape = new RankingShape(1, positives, negatives, file.Tensor("q").Shape[1], images, file.Number("margin"));
        return GoldenCase.Each(operation, shape, new Dictionary<string, float[]>
        {
            ["descriptors"] = [.. file.Values("q"), .. file.Values("p"), .. file.Values("n")],
            ["indices"] = [.. Enumerable.Range(0, images).Select(BitConverter.Int32BitsToSingle)],
            ["loss"] = file.Values("loss"),
            ["dDescriptors"] = [.. file.Values("dq"), .. file.Values("dp"), .. file.Values("dn")],
        });
    }
}

public sealed class GoldenWeakLoss() : GoldenRankingLoss("weak_ranking_loss", RankingLoss.WeakOperation);

public sealed class GoldenContrastiveLoss() : GoldenRankingLoss("contrastive_loss", RankingLoss.ContrastiveOperation);
