using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// An mbarrier of a simulated block (<see cref="MemoryBarrier"/>), with the copies that tell it of their bytes. A copy comes as late as it may: its place is NaN from its start on, and who waits for the
/// mbarrier finds it there.
/// </summary>
/// <param name="address">For faults.</param>
/// <param name="arrivals">That end a phase.</param>
/// <param name="maker">The thread that knows of it at once.</param>
internal sealed class SimulatedBarrier(SimulatedBlock block, uint address, int arrivals, int maker)
{
    /// <summary>Without progress of any thread for so many waits of so many milliseconds nobody will come; a machine that stands still meanwhile counts as one of them.</summary>
    private const int Waits = 20, Milliseconds = 100;

    private readonly object gate = new();
    private readonly Queue<SimulatedCopy> copies = [];
    private readonly int arrivals = arrivals;
    private int left = arrivals, phase, bytes;

    public int Maker { get; } = maker;

    public bool Published { get; set; }

    /// <param name="expected">Bytes that copies will bring in this phase.</param>
    public void Arrive(int expected)
    {
        lock (gate)
        {
            if (left == 0)
            {
                SimulatedBlock.Fail($"one more than {arrivals} arrives in phase {phase} of the mbarrier at {address}");
                return;
            }
            left--;
            bytes += expected;
            End();
        }
    }

    public void Bring(SimulatedCopy copy)
    {
        lock (gate)
        {
            copies.Enqueue(copy);
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Waits for the end of the phase of a parity.</summary>
    public void Wait(int parity)
    {
        lock (gate)
            for (int idle = 0; (phase & 1) == parity && !SimulatedBlock.Failed;)
            {
                int before = block.Progress;
                if (copies.TryDequeue(out var copy))
                {
                    copy.Arrive(block);
                    bytes -= copy.Bytes;
                    End();
                }
                else if (Monitor.Wait(gate, Milliseconds) || block.Progress != before)
                {
                    idle = 0;
                }
                else if (++idle == Waits)
                {
                    SimulatedBlock.Fail($"phase {phase} of the mbarrier at {address} never ends: {left} arrivals and {bytes} bytes are missing");
                }
            }
    }

    private void End()
    {
        block.Proceed();
        if (left != 0 || bytes != 0)
            return;
        left = arrivals;
        phase++;
        Monitor.PulseAll(gate);
    }
}
