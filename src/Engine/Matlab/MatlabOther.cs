namespace IlgpuNetVlad.Engine.Matlab;

/// <summary>Something that is passed over: it is told what it is to whoever needs it, and does not keep others from reading what lies beside it.</summary>
/// <param name="kind">"a sparse matrix", "an object of class layerVLAD".</param>
/// <param name="className">The class of an object, else null.</param>
internal sealed class MatlabOther(string kind, string? className = null) : MatlabValue([])
{
    public override string Kind => kind;

    public string? ClassName => className;
}
