namespace IlgpuNetVlad.Tests;

/// <summary>.ci/mutations names places to break; code moves on, and a break that finds its place no more would be tried on nothing.</summary>
[TestFixture, Parallelizable]
public sealed class BreaksToTry
{
    [Test]
    public void EachFindsItsTextOnce()
    {
        string[][] breaks = [.. File.ReadLines(Path.Combine(SharedFolder.Repository, ".ci", "mutations")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'))];
        Assert.That(breaks, Is.Not.Empty.And.All.Length.EqualTo(4));
        var code = breaks.Select(b => b[1]).Distinct().ToDictionary(file => file, file => File.ReadAllText(Path.Combine(SharedFolder.Repository, file)));
        Assert.That(breaks.Where(b => code[b[1]].Split(b[2]).Length != 2).Select(b => $"{b[1]}: {b[2]}"), Is.Empty);
    }
}
