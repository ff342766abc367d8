using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>The tuples of one update and the images that they need, each image once.</summary>
internal sealed class TrainingBatch
{
    private TrainingBatch(TrainingTuple[] tuples, ImageRef[] images, int[] rows, int negatives, int scale)
    {
        Tuples = tuples;
        Images = images;
        Rows = rows;
        Negatives = negatives;
        Scale = scale;
    }

    public TrainingTuple[] Tuples { get; }

    /// <summary>In the order of the network's input rows.</summary>
    public ImageRef[] Images { get; }

    /// <summary>[tuples, 2 + most negatives]: input rows of query, positive and negatives, −1 where a tuple has fewer.</summary>
    public int[] Rows { get; }

    /// <summary>Negatives of all tuples together.</summary>
    public int Negatives { get; }

    /// <summary>Index of the size at which the batch is shown.</summary>
    public int Scale { get; }

    /// <param name="mostNegatives">Columns for negatives in <see cref="Rows"/>.</param>
    public static TrainingBatch Of(TrainingTuple[] tuples, int mostNegatives, int scale)
    {
        int width = 2 + mostNegatives;
        var rowOf = new Dictionary<ImageRef, int>();
        var images = new List<ImageRef>();
        var rows = new int[tuples.Length * width];
        Array.Fill(rows, -1);
        for (int t = 0; t < tuples.Length; t++)
        {
            int column = t * width;
            foreach (int image in (int[])[tuples[t].Query, tuples[t].Positive, .. tuples[t].Negatives])
            {
                var key = new ImageRef(image, tuples[t].Flip);
                if (!rowOf.TryGetValue(key, out int row))
                {
                    rowOf[key] = row = images.Count;
                    images.Add(key);
                }
                rows[column++] = row;
            }
        }
        return new(tuples, [.. images], rows, tuples.Sum(t => t.Negatives.Length), scale);
    }
}
