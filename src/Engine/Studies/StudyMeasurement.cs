using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>One row of one test for one seed, and for one fold where there are folds.</summary>
/// <param name="Row">As <see cref="StudyCell.Start"/> and <see cref="StudyCell.Trained"/> call it.</param>
/// <param name="Test">Name of the test.</param>
/// <param name="Dimensions">Numbers after PCA; 0 for whole descriptors.</param>
/// <param name="Whitened">Whether that PCA whitens; false for whole descriptors.</param>
/// <param name="FirstHit">For each query the rank, from 1, of its first right answer; 0 where there is none.</param>
/// <param name="Fold">From 1; null where there are none, and for all of a seed's folds together.</param>
public sealed record StudyMeasurement(
    string Row, string Test, int Dimensions, bool Whitened, ulong Seed, int[] FirstHit, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Fold = null)
{
    internal static StudyMeasurement Of(string row, string test, int dimensions, bool whitened, StudyCell cell, RecallReport report)
        => new(row, test, dimensions, whitened, cell.Seed, [.. report.FirstHit], cell.Fold);

    /// <summary>What it is of, whatever it found: no two of a study agree in this.</summary>
    internal (string Row, string Test, int Dimensions, bool Whitened, ulong Seed, int? Fold) Key => (Row, Test, Dimensions, Whitened, Seed, Fold);

    /// <summary>Whether a query has a right answer among its first <paramref name="n"/>.</summary>
    public bool Hits(int query, int n) => FirstHit[query] is var rank && rank > 0 && rank <= n;

    /// <summary>0 … 1.</summary>
    public double Recall(int n) => FirstHit.Length == 0 ? 0 : (double)Enumerable.Range(0, FirstHit.Length).Count(q => Hits(q, n)) / FirstHit.Length;
}
