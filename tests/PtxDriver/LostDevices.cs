using System.Runtime.CompilerServices;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>A kernel's fault takes a GPU away from the process: that is told once, and giving up what was there tells nothing else.</summary>
[TestFixture, NonParallelizable]
public sealed class LostDevices
{
    private static DeviceCheckCase Case(Device device) => DeviceCheck.Cases(device).Last(c => c.Operation == Addition.Operation);

    [Test]
    public void AFault_IsToldInItsRow_AndThingsAreGivenUpInSilence()
    {
        // On a thread of its own: ILGPU remembers by thread what was current there.
        var row = Task.Factory.StartNew(Fault, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).GetAwaiter().GetResult();
        // A finalizer that threw would end the process: of what was left, whose context the driver knows no more, for it has begun anew.
        using (Driven.Open())
        {
        }
        RunFinalizers();
        Assert.That((row.Ok, row.Error), Is.EqualTo((false, double.PositiveInfinity)));
        Assert.That(row.Message, Does.Contain("it faults, as was asked for").And.Not.Contain("\n"));
    }

    /// <summary>The program goes on, on the processor: what was left then meets the collector when the device is long gone.</summary>
    [Test]
    public void WhatIsLeftOfALostDevice_NeverEndsTheProcess()
    {
        LoseWithThingsLeft();
        RunFinalizers();
        using var another = Driven.Open();
        using var numbers = another.Allocate([1f, 2f]);
        Assert.That(another.Download(numbers), Is.EqualTo(new[] { 1f, 2f }));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LoseWithThingsLeft()
    {
        // Many kernels stand there by then: of those ILGPU gives up none behind the first one that cannot be.
        var device = Driven.Open(faults: "Kernel_convolution_forward");
        var left = device.Allocate(4);
        var mark = device.CreateMark();
        DeviceCheck.Run(device, Devices.Cpu);
        Assert.That(device.IsLost, Is.True);
        device.Dispose();
        GC.KeepAlive(left);
        GC.KeepAlive(mark);
    }

    /// <summary>Apart, for what a method names lives until its end.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DeviceCheckRow Fault()
    {
        using var device = Driven.Open(faults: "addition");
        using var numbers = device.Allocate(4);
        using var host = device.AllocateHost(4);
        using var mark = device.CreateMark();
        using var lane = new UploadLane(device, 4);
        lane.Send(host, 4);
        Leave(device);
        Assert.That(device.IsLost, Is.False);
        var comparison = new DeviceComparison(device, Devices.Cpu);
        // So that something is left behind the first kernel that the driver does not take back.
        Assert.That(comparison.Row(DeviceCheck.Cases(device).Last(c => c.Operation == Gram.Operation)).Ok, Is.True);
        var row = comparison.Row(Case(device));
        Assert.That(device.IsLost, Is.True);
        RunFinalizers();
        return row;
    }

    private static void RunFinalizers()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    /// <summary>As an exception leaves it between two buffers; old, so that the driver's own collections leave it too.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(Device device)
    {
        var left = device.Allocate(4);
        GC.Collect();
        GC.Collect();
        GC.KeepAlive(left);
    }

    [Test]
    public void WithoutAFault_GivingUpSpeaks()
    {
        using var device = Driven.Open();
        Assert.That(() => device.GiveUp(() => throw new InvalidOperationException("wrong")), Throws.InvalidOperationException);
    }

    [Test]
    public void TheCheck_EndsWithTheFault()
    {
        using var device = Driven.Open(faults: "Kernel_convolution_forward");
        var rows = DeviceCheck.Run(device, Devices.Cpu);
        Assert.That((rows.Count(r => r.Ok), rows.Count(r => !r.Ok), rows[^1].Ok), Is.EqualTo((rows.Count - 1, 1, false)));
        Assert.That(rows[^1].Message, Does.Contain("as was asked for"));
        Assert.That(rows, Has.Count.LessThan(DeviceCheck.Count(device) / 2));
    }

    [Test]
    public void WhatIsMostLikelyToRun_ComesFirst()
    {
        using var device = Driven.Open();
        var cases = DeviceCheck.Cases(device);
        var order = cases.Select(c => DeviceCheck.Daring(c.Variant)).ToList();
        Assert.That(order, Is.Ordered);
        Assert.That(order.Distinct(), Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(cases, Has.Count.EqualTo(DeviceCheck.Count(device)));
        Assert.That(cases.Select(c => $"{c.Operation} {c.Variant.Name} {c.Problem}"), Is.Unique);
    }

    /// <summary>As the run book's networks do behind a check that found it wrong.</summary>
    [Test]
    public void AVariantThatIsLeftOut_IsNotChosen()
    {
        var shape = new ConvolutionShape(8, 60, 80, 256, 256, 3, 3, 1, 1);
        using var device = Driven.Open(Precision.Bf16);
        var first = Convolution.ForwardOperation.Choose(device, shape);
        device.LeftOut = new HashSet<Variant> { first };
        Assert.That((first.Name, Convolution.ForwardOperation.Choose(device, shape).Name), Is.EqualTo(("wgmma-tma-256x128x64", "wgmma-256x128x64")));
        Assert.That(Convolution.ForwardOperation.RefusalOf(first, device, shape), Does.Contain("left out"));
    }

    [Test]
    public void Auto_FallsBackToTheProcessor_AndSaysWhy()
    {
        var device = Driven.Open(faults: "addition");
        var choice = DeviceChoice.Decide(device, () =>
        {
            using var host = Device.Cpu();
            var row = new DeviceComparison(device, host).Row(Case(device));
            Assert.That(device.IsLost, Is.True);
            return [row];
        });
        using var chosen = choice.Device;
        Assert.That(chosen.Kind, Is.EqualTo(DeviceKind.Cpu));
        Assert.That(choice.Reason, Does.Contain("the CUDA device fails in addition (simt): ").And.Contain("as was asked for"));
        using var sum = chosen.Allocate([1f, 2f]);
        Addition.Accumulate(chosen, new(2), sum, sum);
        Assert.That(chosen.Download(sum), Is.EqualTo(new[] { 2f, 4f }), "the processor works on");
    }

    [Test]
    public void Auto_FallsBackWhereNothingCanBeCompared()
    {
        var choice = DeviceChoice.Decide(Driven.Open(), () => throw new InvalidOperationException("No more."));
        using var chosen = choice.Device;
        Assert.That((chosen.Kind, choice.Reason), Is.EqualTo((DeviceKind.Cpu, $"{chosen.Description}: the CUDA device cannot be compared with the processor: No more")));
    }

    [Test]
    public void Auto_TellsAWrongResultFromAFailure()
    {
        var row = new DeviceCheckRow("addition", "simt", "problem", 1, 1e-6);
        using var processor = DeviceChoice.Decide(Driven.Open(), () => [row]).Device;
        using var device = Driven.Open();
        var choice = DeviceChoice.Decide(device, () => [row with { Error = 0 }]);
        Assert.That((processor.Kind, choice.Device), Is.EqualTo((DeviceKind.Cpu, device)));
    }
}
