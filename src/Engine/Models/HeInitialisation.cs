using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Random weights with variance 2 / (inputs of a neuron), so that ReLU layers keep the scale of their signal (1502.01852); biases are 0.</summary>
internal static class HeInitialisation
{
    public static void Fill(IEnumerable<Parameter> parameters, ulong seed)
    {
        var generator = new SeededGenerator(seed, stream: ulong.MaxValue - 3);
        foreach (var p in parameters)
        {
            var values = new float[p.Length];
            if (p.FileShape.Length == 4)
            {
                double deviation = Math.Sqrt(2.0 / (p.FileShape[1] * p.FileShape[2] * p.FileShape[3]));
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)(deviation * Normal(generator));
            }
            p.Write(values);
        }
    }

    /// <summary>A normal deviate from twelve even ones: sums and products alone, so the same bits on every machine. Its tails end at 6.</summary>
    private static double Normal(SeededGenerator generator)
    {
        double sum = -6;
        for (int i = 0; i < 12; i++)
            sum += generator.NextDouble();
        return sum;
    }
}
