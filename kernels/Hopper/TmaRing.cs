namespace IlgpuNetVlad.Kernels;

/// <summary>The walk through stages that are filled and emptied in turn: the stage, and the parity of its phase, which changes with each round.</summary>
internal struct TmaRing
{
    public int Stage, Parity;

    public void Next(int stages)
    {
        Stage++;
        if (Stage < stages)
            return;
        Stage = 0;
        Parity ^= 1;
    }
}
