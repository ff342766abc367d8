using System.Reflection;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Walks the table: the same bits again, with any number of threads, and for an image alone as in its batch.</summary>
/// <remarks>Nothing runs beside it, see <see cref="VariantsAgree"/>.</remarks>
[TestFixture]
public sealed class Determinism
{
    /// <summary>What counts independent things in a problem, in the order in which a shape is asked for it.</summary>
    private static readonly string[] Batches = ["B", "Queries", "Rows", "Pixels"];

    private static readonly Dictionary<int, Lazy<Device>> Threads = new[] { 1, 2, 3, 5 }.ToDictionary(n => n, n => new Lazy<Device>(() => Device.Cpu(n)));

    public static IEnumerable<TestCaseData> HostVariants() => Variants(VariantKind.Host);

    public static IEnumerable<TestCaseData> CudaVariants() => Variants(VariantKind.TensorCore).Concat(Variants(VariantKind.Simt));

    /// <summary>Those that write something for each image: not a sum over the batch, as gradients of weights are.</summary>
    public static IEnumerable<TestCaseData> BatchedVariants()
        => Variants(VariantKind.Host).Where(c => c.Arguments[0] is Operation operation && operation.AllExamples.Any(p
            => Alone(p) is var (alone, count) && operation.BuffersOf(p).Zip(operation.BuffersOf(alone)).Any(b => b.First.Access != Access.Read && IsOfImages(b.First.Length, b.Second.Length, count))));

    [OneTimeTearDown]
    public void Close()
    {
        foreach (var device in Threads.Values.Where(d => d.IsValueCreated))
            device.Value.Dispose();
    }

    [TestCaseSource(nameof(HostVariants))]
    public void Host_GivesTheSameBits_TwiceAndWithAnyNumberOfThreads(Operation operation, Variant variant)
    {
        foreach (object problem in operation.AllExamples.Where(p => operation.RefusalOf(variant, Devices.Cpu, p) is null))
        {
            var inputs = operation.InputsFor(problem, seed: 11);
            var once = VariantsAgree.Run(operation, variant, Threads[1].Value, problem, inputs);
            foreach (var device in Threads.Values)
                for (int repeat = 0; repeat < 2; repeat++)
                    AssertSameBits(VariantsAgree.Run(operation, variant, device.Value, problem, inputs), once, operation, problem, device.Value.Description);
        }
    }

    /// <summary>One example each, and no large one: simulated barriers are slow.</summary>
    [TestCaseSource(nameof(CudaVariants))]
    public void CudaVariant_GivesTheSameBits_Twice(Operation operation, Variant variant)
    {
        var device = Devices.Cuda ?? Devices.Simulation;
        var problems = operation.AllExamples.Where(p => operation.RefusalOf(variant, device, p) is null && operation.FlopsOf(p) > 0).OrderBy(operation.FlopsOf).ToList();
        int index = problems.Count / 4;
        while (index > 0 && operation.FlopsOf(problems[index]) > 300_000)
            index--;
        object problem = problems[index];
        var inputs = operation.InputsFor(problem, seed: 11);
        AssertSameBits(VariantsAgree.Run(operation, variant, device, problem, inputs), VariantsAgree.Run(operation, variant, device, problem, inputs), operation, problem, device.Description);
    }

    [TestCaseSource(nameof(BatchedVariants))]
    public void Host_GivesAnImageTheSameBits_AloneAndInItsBatch(Operation operation, Variant variant)
    {
        int compared = 0;
        foreach (object problem in operation.AllExamples)
        {
            if (Alone(problem) is not var (alone, count))
                continue;
            if (operation.RefusalOf(variant, Devices.Cpu, problem) is not null || operation.RefusalOf(variant, Devices.Cpu, alone) is not null)
                continue;
            var specs = operation.BuffersOf(problem);
            var single = operation.BuffersOf(alone);
            var inputs = operation.InputsFor(problem, seed: 11);
            var together = VariantsAgree.Run(operation, variant, Devices.Cpu, problem, inputs);
            foreach (int image in new[] { 0, count / 2, count - 1 }.Distinct())
            {
                // A buffer whose length grows with the batch holds an image's part at its place; the others (weights, sums over the batch) stay whole.
                var parts = inputs.Select((values, i) => Part(values, single[i].Length, specs[i].Length, image, count)).ToArray();
                var result = VariantsAgree.Run(operation, variant, Devices.Cpu, alone, parts);
                for (int i = 0; i < specs.Length; i++)
                    if (specs[i].Access != Access.Read && IsOfImages(specs[i].Length, single[i].Length, count))
                    {
                        compared++;
                        VariantsAgree.AssertSameBits(result[i], Part(together[i], single[i].Length, specs[i].Length, image, count), $"{specs[i].Name} of image {image} in {problem}");
                    }
            }
        }
        Assert.That(compared, Is.Positive);
    }

    private static IEnumerable<TestCaseData> Variants(VariantKind kind)
        => from operation in KernelTable.All
           from variant in operation.AllVariants
           where variant.Kind == kind
           select new TestCaseData(operation, variant).SetArgDisplayNames(operation.Name, variant.Name);

    /// <summary>The same problem with one image, and how many images it has; null where there is but one, or nothing that counts them.</summary>
    private static (object Problem, int Count)? Alone(object problem)
    {
        var batch = Batches.Select(problem.GetType().GetProperty).FirstOrDefault(p => p?.CanWrite == true);
        if (batch?.GetValue(problem) is not int count || count < 2)
            return null;
        // A boxed struct's copy: its property is set in the new box.
        object copy = typeof(object).GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!.Invoke(problem, null)!;
        batch.SetValue(copy, 1);
        return (copy, count);
    }

    /// <summary>Numbers from one image's part to the next: more than a part has where other channels stand between pixels, which do not follow the last.</summary>
    private static long Step(long single, long whole, int count) => (whole - single) / (count - 1);

    private static bool IsOfImages(long whole, long single, int count)
        => single > 0 && whole > single && Step(single, whole, count) >= single && whole == (count - 1) * Step(single, whole, count) + single;

    private static float[] Part(float[] values, long single, long whole, int image, int count)
        => single == whole || values.Length == 0 ? values : values.AsSpan((int)(image * Step(single, whole, count)), (int)single).ToArray();

    private static void AssertSameBits(float[][] actual, float[][] expected, Operation operation, object problem, string where)
    {
        var specs = operation.BuffersOf(problem);
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].Access != Access.Read)
                VariantsAgree.AssertSameBits(actual[i], expected[i], $"{specs[i].Name} of {problem} on {where}");
    }
}
