using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.App;

/// <summary>Commands that need no data.</summary>
[TestFixture, Parallelizable]
public sealed class SmallCommands
{
    [Test]
    public void KernelsListHasTheWholeTable()
    {
        var operations = Netvlad.Run("kernels", "list", "--json").Done().Json().GetProperty("operations").EnumerateArray().ToArray();
        Assert.That(operations.Select(o => o.GetProperty("name").GetString()), Is.EqualTo(KernelTable.All.Select(o => o.Name)));
        foreach (var operation in operations)
            Assert.That(operation.GetProperty("variants").EnumerateArray().Last().GetProperty("kind").GetString(), Is.EqualTo("reference"));
        string table = Netvlad.Run("kernels", "list").Done().Output;
        foreach (var operation in KernelTable.All)
            Assert.That(table, Does.Contain(operation.Name).And.Contain(operation.Contract));
    }

    [Test]
    public void DoctorSaysWhatIsUsedAndWhy()
    {
        var answer = Netvlad.Run("doctor", "--json", "--device", "cpu").Done().Json();
        Assert.That(answer.GetProperty("chosen").GetString(), Does.Match("^cpu, .*: as asked$"));
        Assert.That(answer.GetProperty("machine").GetProperty("threads").GetInt32(), Is.EqualTo(Environment.ProcessorCount));
        Assert.That(answer.GetProperty("failedChecks").GetArrayLength(), Is.Zero);
        var checkedOperations = answer.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("operation").GetString()).Distinct();
        // An operation of bf16 maps alone, which no processor keeps, has no variant for it.
        Assert.That(checkedOperations, Is.EquivalentTo(KernelTable.All.Where(o => o.AllVariants.Any(v => v.Kind == VariantKind.Host)).Select(o => o.Name)));
        Assert.That(Netvlad.Run("doctor").Done().Output, Does.Contain("will be used").And.Contain("ILGPU"));
    }

    [Test]
    public void ADeviceThatIsNotThereIsNamed()
        => Assert.That(Netvlad.Run("doctor", "--device", "cuda:99").Refused(), Does.Contain("99").Or.Contain("no CUDA device"));
}
