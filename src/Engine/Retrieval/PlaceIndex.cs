using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Known places, the network that describes them, and the search among them: what says which of them a photograph shows. It grows while it is in use, and is one file, network included
/// (<see cref="Save"/>), which can be taken to another machine.
/// <para>
/// Its members may be called from several threads, which then wait for one another; but its device runs one thing at a time, so nothing else may use that meanwhile. Dispose of it before its device.
/// </para>
/// </summary>
public sealed class PlaceIndex : IDisposable
{
    /// <summary>Places that may be added before all are searched as one again: until then those that are new are searched apart, lest each of them cost a copy of all.</summary>
    private const int MostApart = 1024;

    private readonly bool ownsNetwork;
    private readonly Lock gate = new();
    private readonly List<Place> places = [];
    private readonly ImageDescriber describer;
    private readonly int dimension;
    private float[] rows = [];
    private ExactSearch? old, added;
    private int oldRows, addedRows;
    private bool disposed;

    /// <summary>Without a place yet.</summary>
    /// <param name="network">Outlives the index; with clusters, if it has any, and not to be changed any more.</param>
    public PlaceIndex(Network network)
        : this(network, ownsNetwork: false)
    {
    }

    private PlaceIndex(Network network, bool ownsNetwork)
    {
        Network = network;
        this.ownsNetwork = ownsNetwork;
        dimension = network.DescriptorLength;
        describer = new(network);
    }

    /// <summary>Reads what <see cref="Save"/> wrote, the network too.</summary>
    /// <exception cref="UserErrorException">The file is missing or broken, or holds no places.</exception>
    public static PlaceIndex Load(Device device, string path)
    {
        var (stored, descriptors) = PlaceFile.Read(path);
        var index = new PlaceIndex(Network.Load(device, path), ownsNetwork: true);
        try
        {
            if (descriptors.Dimension != index.dimension)
                throw new UserErrorException($"{path} holds descriptors of {descriptors.Dimension} numbers, and its network makes {index.dimension}: make the index again.");
            index.places.AddRange(stored);
            index.rows = descriptors.Values;
            return index;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    public Network Network { get; }

    /// <summary>Numbers of a descriptor.</summary>
    public int Dimension => dimension;

    /// <summary>In the order in which they were added.</summary>
    public IReadOnlyList<Place> Places
    {
        get
        {
            lock (gate)
                return [.. places];
        }
    }

    /// <summary>Of <see cref="Places"/>.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return places.Count;
        }
    }

    /// <summary>Adds a place as its image shows it.</summary>
    /// <exception cref="UserErrorException">The image is too small for the network.</exception>
    public void Add(Place place, PixelImage image) => Add(place, describer.Describe(image));

    /// <summary>Adds a place by its descriptor, which is copied: [<see cref="Dimension"/>], by this network.</summary>
    public void Add(Place place, ReadOnlySpan<float> descriptor)
    {
        if (descriptor.Length != dimension)
            throw new ArgumentException($"A descriptor has {dimension} numbers, not {descriptor.Length}.", nameof(descriptor));
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            MakeRoom(places.Count + 1);
            descriptor.CopyTo(rows.AsSpan(places.Count * dimension));
            places.Add(place);
        }
    }

    /// <summary>Adds places by their image files, quicker than one after the other.</summary>
    /// <param name="batch">As of <see cref="Extractor.Extract"/>, like the others.</param>
    /// <returns>How many were added: those that can be read.</returns>
    /// <exception cref="ImageException">An unreadable image and no <paramref name="onBad"/>; then none was added.</exception>
    /// <exception cref="OperationCanceledException"/>
    public int AddFiles(
        IReadOnlyList<Place> known, IImageDecoder decoder, int batch = 16, IProgressSink? progress = null, CancellationToken token = default, Action<string, string>? onBad = null)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var bad = new HashSet<string>();
            var described = Extractor.Extract(Network, [.. known.Select(p => p.Path)], decoder, Network.Settings.Resize, batch, progress, token, onBad is null ? null : (path, reason) =>
            {
                bad.Add(path);
                onBad(path, reason);
            });
            MakeRoom(places.Count + described.Rows);
            described.Values.AsSpan(0, described.Rows * dimension).CopyTo(rows.AsSpan(places.Count * dimension));
            places.AddRange(known.Where(p => !bad.Contains(p.Path)));
            return described.Rows;
        }
    }

    /// <summary>The known places that an image shows, best first.</summary>
    /// <param name="depth">How many, 1 … 2048; fewer come back where fewer are known.</param>
    /// <exception cref="UserErrorException">The image is too small for the network.</exception>
    public IReadOnlyList<PlaceAnswer> Find(PixelImage image, int depth = 5) => Find(describer.Describe(image), depth);

    /// <param name="descriptor">[<see cref="Dimension"/>], by this network.</param>
    /// <inheritdoc cref="Find(PixelImage, int)"/>
    public IReadOnlyList<PlaceAnswer> Find(float[] descriptor, int depth = 5)
    {
        if (descriptor.Length != dimension)
            throw new ArgumentException($"A descriptor has {dimension} numbers, not {descriptor.Length}.", nameof(descriptor));
        return Find(new DescriptorMatrix(1, dimension, descriptor), depth)[0];
    }

    /// <summary>The same for many images, and quicker.</summary>
    /// <param name="queries">[Q, <see cref="Dimension"/>], by this network.</param>
    /// <returns>Answers of each.</returns>
    /// <inheritdoc cref="Find(PixelImage, int)"/>
    public IReadOnlyList<PlaceAnswer>[] Find(DescriptorMatrix queries, int depth = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Refresh();
            var answers = new IReadOnlyList<PlaceAnswer>[queries.Rows];
            var (nearest, distances) = old?.Find(queries, depth) ?? Nothing(queries.Rows);
            var (nearestAdded, distancesAdded) = added?.Find(queries, depth) ?? Nothing(queries.Rows);
            for (int q = 0; q < answers.Length; q++)
                answers[q] = Merge(nearest[q], distances[q], nearestAdded[q], distancesAdded[q], depth);
            return answers;
        }
    }

    /// <summary>Writes network and places as one file, aside and then renamed. Files below its folder are named from there on, so that both can be moved together.</summary>
    /// <exception cref="UserErrorException">The file cannot be written, or there are more places than its header holds.</exception>
    public void Save(string path)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            PlaceFile.Write(path, Network, places, new(places.Count, dimension, rows));
        }
    }

    private static (int[][] Rows, float[][] Distances) Nothing(int queries) => ([.. Enumerable.Repeat<int[]>([], queries)], [.. Enumerable.Repeat<float[]>([], queries)]);

    /// <summary>Both lists are ascending; of equal distances those of the older places come first, as in one search.</summary>
    private PlaceAnswer[] Merge(int[] first, float[] firstDistances, int[] second, float[] secondDistances, int depth)
    {
        var answers = new PlaceAnswer[Math.Min(depth, first.Length + second.Length)];
        for (int n = 0, i = 0, j = 0; n < answers.Length; n++)
            answers[n] = j == second.Length || (i < first.Length && firstDistances[i] <= secondDistances[j])
                ? new(places[first[i]], firstDistances[i++])
                : new(places[oldRows + second[j]], secondDistances[j++]);
        return answers;
    }

    /// <summary>Brings what was added into the search.</summary>
    private void Refresh()
    {
        int behind = places.Count - oldRows;
        if (behind == addedRows)
            return;
        added?.Dispose();
        added = null;
        addedRows = 0;
        if (oldRows == 0 || behind > Math.Max(MostApart, oldRows / 4))
        {
            old?.Dispose();
            old = null;
            oldRows = 0;
            old = new(Network.Device, new DescriptorMatrix(places.Count, dimension, rows));
            oldRows = places.Count;
            return;
        }
        added = new(Network.Device, new DescriptorMatrix(behind, dimension, rows[(oldRows * dimension)..(places.Count * dimension)]));
        addedRows = behind;
    }

    private void MakeRoom(int count)
    {
        long needed = (long)count * dimension;
        if (needed <= rows.LongLength)
            return;
        if (needed > Array.MaxLength)
            throw new UserErrorException($"{count} descriptors of {dimension} numbers do not fit one array: fit a PCA and use at most {Array.MaxLength / count} numbers a descriptor.");
        Array.Resize(ref rows, (int)Math.Min(Array.MaxLength, Math.Max(needed, 2 * (long)places.Count * dimension)));
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            old?.Dispose();
            added?.Dispose();
            describer.Dispose();
            if (ownsNetwork)
                Network.Dispose();
        }
    }
}
