using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using IlgpuNetVlad.Perf;

// In process: the shapes are objects of this program, and a build aside would not know the solution's artifacts folder.
var config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumn(new RateColumn());
BenchmarkSwitcher.FromAssembly(typeof(RateColumn).Assembly).Run(args, config);
