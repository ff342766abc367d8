// ONNX Runtime as a peer of `perf peers`, which drives it line by line (perf/README.md): PROGRAM FILE.onnx BATCH HEIGHT WIDTH THREADS
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

int batch = Number(1), height = Number(2), width = Number(3);
using var options = new SessionOptions
{
    IntraOpNumThreads = Number(4),
    GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
    ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
};
using var session = new InferenceSession(args[0], options);
using var run = new RunOptions();
var pixels = new float[batch * 3 * height * width];
using var input = OrtValue.CreateTensorValueFromMemory(pixels, [batch, 3, height, width]);

float[] Run(out double seconds)
{
    long begin = Stopwatch.GetTimestamp();
    using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
    float[] result = outputs[0].GetTensorDataAsSpan<float>().ToArray();
    seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
    return result;
}

Run(out double first);
Say($"ready {first.ToString(CultureInfo.InvariantCulture)}");
while (Console.ReadLine() is { } line && line != "quit")
{
    double seconds;
    if (line == "go")
        Run(out seconds);
    else if (line.StartsWith("input ", StringComparison.Ordinal))
    {
        File.ReadAllBytes(line[6..]).AsSpan().CopyTo(MemoryMarshal.AsBytes(pixels.AsSpan()));
        Say("ok");
        continue;
    }
    else
        File.WriteAllBytes(line[7..], MemoryMarshal.AsBytes<float>(Run(out seconds)).ToArray());
    Say(seconds.ToString(CultureInfo.InvariantCulture));
}

int Number(int at) => int.Parse(args[at], CultureInfo.InvariantCulture);

static void Say(string line)
{
    Console.WriteLine(line);
    Console.Out.Flush();
}
