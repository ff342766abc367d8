using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Random weights with variance 2 / (inputs of a neuron), so that ReLU layers keep the scale of their signal (1502.01852); biases are 0.
/// Evenly distributed: products and square roots alone, so the same bits on every machine. Every filter's mean is taken off: maps after ReLU
/// are positive, and what they share would otherwise drown what differs, until all descriptors look alike.
/// </summary>
internal static class HeInitialisation
{
    // Tells these numbers from others drawn with the same seed.
    private const ulong Stream = ulong.MaxValue - 3;

    public static void Fill(IEnumerable<Parameter> parameters, ulong seed)
    {
        var generator = new SeededGenerator(seed, Stream);
        foreach (var p in parameters)
        {
            var values = new float[p.Length];
            if (p.FanIn > 0)
            {
                // Numbers in ±bound have the variance bound²/3.
                double bound = Math.Sqrt(6.0 / p.FanIn);
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)(bound * (2 * generator.NextDouble() - 1));
                for (int first = 0; first < values.Length && p.FanIn > 1; first += p.FanIn)
                    Centre(values.AsSpan(first, p.FanIn));
            }
            p.Write(values);
        }
    }

    /// <summary>Takes off the mean of one output's weights.</summary>
    private static void Centre(Span<float> filter)
    {
        double sum = 0;
        foreach (float w in filter)
            sum += w;
        float mean = (float)(sum / filter.Length);
        for (int i = 0; i < filter.Length; i++)
            filter[i] -= mean;
    }
}
