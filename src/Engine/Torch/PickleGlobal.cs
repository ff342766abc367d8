namespace IlgpuNetVlad.Engine.Torch;

/// <summary>A class or function that a pickle names. Here it is a name and nothing else: none is ever looked up or called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    // What dictionaries of weights are made of, and NumPy's single numbers, which checkpoints keep beside them (recalls, best scores).
    private static readonly HashSet<string> Known =
    [
        OrderedDictionary, RebuildTensor, RebuildTensorV2, RebuildParameter, "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype", "_codecs.encode",
        .. TorchStorage.Types.Select(t => $"torch.{t}"),
    ];

    public const string OrderedDictionary = "collections.OrderedDict", RebuildTensor = "torch._utils._rebuild_tensor", RebuildTensorV2 = "torch._utils._rebuild_tensor_v2",
        RebuildParameter = "torch._utils._rebuild_parameter";

    public bool IsKnown => Known.Contains(ToString());

    public override string ToString() => $"{Module}.{Name}";
}
