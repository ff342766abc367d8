using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Streams;

/// <summary>Batches that are copied ahead of their kernels, results that come back behind them: never at the same place at the same time, and nobody waits for an idle device.</summary>
[TestFixture]
public sealed class BatchesInTurn
{
    private const int Most = 3, Length = 5;

    [Test]
    public void EveryBatch_IsInItsPlace_AndItsResultsInTheirs([Values] bool beside, [Values(1, 2, 3, 8)] int count)
    {
        var log = new WorkLog();
        using var device = Device.Cpu(1, worksBesideHost: beside);
        using var input = device.Allocate(Most * Length);
        using var output = device.Allocate(Most * Length);
        using var ahead = new InputAhead(device, (image, to) => to.Fill(image.Image), Most, Most * Length);
        using var results = new ResultsBehind<int>(device, Most * Length);
        var batches = Enumerable.Range(0, count).Select(b => Enumerable.Range(10 * b, b % Most + 1).Select(i => new ImageRef(i)).ToArray()).ToArray();
        var found = new List<float>();
        int most = 0, started = 0, taken = 0;
        void Take()
        {
            found.AddRange(results.Take().Values.ToArray().Where((_, i) => i % Length == Length - 1));
            taken++;
        }

        device.WorkObserver = log;
        foreach (var batch in ahead.Read([.. batches.Select(b => (b, Length))], default))
        {
            ahead.Bring(batch, input);
            int numbers = batch.Count * Length;
            device.Copy(input.View.SubView(0, numbers), output.View.SubView(0, numbers));
            results.Start(batch.Count, output.View.SubView(0, numbers));
            most = Math.Max(most, ++started - taken);
            if (results.IsFull)
                Take();
        }
        while (!results.IsEmpty)
            Take();
        Assert.That(found, Is.EqualTo(batches.SelectMany(b => b).Select(i => (float)i.Image)));
        Assert.That(log.Conflicts, Is.Empty);
        Assert.That(log.Count(WorkKind.Synchronisation), Is.Zero);
        Assert.That(most, Is.EqualTo(beside ? Math.Min(2, count) : 1), "results that were on their way at once");
    }

    /// <summary>Also where the host waits for no result: the kernels' stream may be far behind it.</summary>
    [Test]
    public void APlace_IsFilledAgain_BehindItsReader()
    {
        var log = new WorkLog();
        using var device = Device.Cpu(1, worksBesideHost: true);
        device.WorkObserver = log;
        using var input = device.Allocate(Length);
        using var host = device.AllocateHost(Length);
        using var lane = new UploadLane(device, Length);
        for (int batch = 0; batch < 5; batch++)
        {
            host.Span.Fill(batch);
            lane.Send(host, Length);
            lane.Take(input);
            lane.WaitUntilSent();
        }
        Assert.That(device.Download(input.View), Has.All.EqualTo(4f));
        Assert.That(log.Conflicts, Is.Empty);
    }

    [Test]
    public void AReader_ThatLeavesEarly_LeavesNothingOnItsWay()
    {
        var log = new WorkLog();
        using var device = Device.Cpu(1, worksBesideHost: true);
        device.WorkObserver = log;
        using (var input = device.Allocate(Most * Length))
        using (var ahead = new InputAhead(device, (image, to) => to.Fill(image.Image), Most, Most * Length))
            foreach (var batch in ahead.Read([.. Enumerable.Range(0, 9).Select(i => (new[] { new ImageRef(i) }, Length))], default))
            {
                ahead.Bring(batch, input);
                break;
            }

        Assert.That(log.Count(WorkKind.HostWait), Is.EqualTo(1), "for the batch that was sent");
        Assert.That(device.AllocatedBytes, Is.Zero);
    }
}
