using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Perf;
using IlgpuNetVlad.Perf.Gpu;
using IlgpuNetVlad.Perf.Ladders.ConvolutionForward;
using IlgpuNetVlad.Perf.Operations;
using IlgpuNetVlad.Perf.Peers;
using IlgpuNetVlad.Perf.Peers.Served;
using IlgpuNetVlad.Perf.Profiles;
using IlgpuNetVlad.Perf.Programs;

var rest = args.AsSpan(Math.Min(1, args.Length));
try
{
    switch (args.FirstOrDefault())
    {
        case "gpu":
            return GpuRun.Run(GpuOptions.Parse(rest));
        case "profile":
            ProfileRun.Run(ProfileOptions.Parse(rest));
            return 0;
        case "extraction":
            ExtractionRun.Run(ExtractionOptions.Parse(rest));
            return 0;
        case "peers":
            PeerRun.Run(PeerOptions.Parse(rest));
            return 0;
        case "serve":
            ServeRun.Run(rest);
            return 0;
        case "programs":
            ProgramRun.Run(ProgramOptions.Parse(rest));
            return 0;
        case "ladder":
            Ladder.Run(rest);
            return 0;
        case Disassembly.Option when rest is [var method, ..]:
            return Disassembly.Run(method, rest[1..]);
    }
}
catch (UserErrorException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

// In process: a build aside would not know the solution's artifacts folder.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
if (!args.Any(a => a is "--list" or "--help" or "--version"))
    config = config.AddColumn(ProblemColumn.All(FmaPeak.Measure(Environment.ProcessorCount), MemoryBandwidth.Measure(Environment.ProcessorCount)));
BenchmarkSwitcher.FromAssembly(typeof(ProblemColumn).Assembly).Run(args, config);
return 0;
