using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Perf;
using IlgpuNetVlad.Perf.Gpu;
using IlgpuNetVlad.Perf.Peers;
using IlgpuNetVlad.Perf.Profiles;

if (args is ["peers" or "gpu" or "profile", ..])
{
    try
    {
        if (args[0] == "gpu")
            return GpuRun.Run(GpuOptions.Parse(args.AsSpan(1))) ? 0 : 1;
        if (args[0] == "profile")
        {
            ProfileRun.Run(ProfileOptions.Parse(args.AsSpan(1)));
            return 0;
        }
        PeerRun.Run(PeerOptions.Parse(args.AsSpan(1)));
        return 0;
    }
    catch (UserErrorException e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
}

// In process: the shapes are objects of this program, and a build aside would not know the solution's artifacts folder.
var config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumn(new RateColumn());
BenchmarkSwitcher.FromAssembly(typeof(RateColumn).Assembly).Run(args, config);
return 0;
