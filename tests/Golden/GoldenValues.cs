using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>Every safetensors file in the folder of expected values, whatever lies there: one test a file, operation, variant and device.</summary>
[TestFixture]
public sealed class GoldenValues
{
    private static readonly Dictionary<string, IGoldenOperation> Operations = typeof(GoldenValues).Assembly.GetTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IGoldenOperation)))
        .Select(t => (IGoldenOperation)Activator.CreateInstance(t)!)
        .ToDictionary(o => o.Op);

    public static IEnumerable<TestCaseData> Files()
    {
        if (!Directory.Exists(SharedFolder.Golden) || Directory.GetFiles(SharedFolder.Golden, "*.safetensors") is not { Length: > 0 } paths)
        {
            yield return Named(new GoldenCase("", () => Assert.Ignore($"No golden files in {SharedFolder.Golden}; set NETVLAD_GOLDEN to where they are.")), "Golden");
            yield break;
        }
        foreach (string path in paths.Order(StringComparer.Ordinal))
            foreach (var one in CasesOf(path))
                yield return Named(one, $"Golden_{Path.GetFileNameWithoutExtension(path)}_{one.Name}");
    }

    [TestCaseSource(nameof(Files))]
    public void Value_IsAsExpected(GoldenCase golden) => golden.Check();

    [Test]
    public void Golden_OnCuda()
    {
        if (Devices.Cuda is null)
            Assert.Ignore("No CUDA device: golden values are compared on the processor and in simulation alone.");
    }

    /// <summary>A file that cannot be read or dispatched is one failing test, not a discovery that breaks off.</summary>
    private static List<GoldenCase> CasesOf(string path)
    {
        try
        {
            var file = new GoldenFile(path);
            if (!Operations.TryGetValue(file.Op, out var operation))
                return [new("unknown", () => Assert.Fail($"no test knows the op {file.Op}"))];
            var cases = operation.Cases(file).ToList();
            if (file.Unread.ToList() is { Count: > 0 } unread)
                cases.Add(new("settings", () => Assert.Fail($"nothing looks at {string.Join(", ", unread)}")));
            return cases.Count > 0 ? cases : [new("empty", () => Assert.Fail("nothing is compared"))];
        }
        catch (Exception e)
        {
            return [new("broken", () => Assert.Fail(e.Message))];
        }
    }

    private static TestCaseData Named(GoldenCase golden, string name) => new TestCaseData(golden).SetName(name.Replace('.', '-'));
}
