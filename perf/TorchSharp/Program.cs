// libtorch through TorchSharp as a peer of `perf peers` (perf/README.md). The last word says how tensors lie in memory: contiguous, as libtorch is when installed, or channels-last.
//   network BACKBONE WEIGHTS BATCH HEIGHT WIDTH THREADS LAYOUT    images to descriptors
//   train FIRST WEIGHTS MAPS|- HEIGHT WIDTH THREADS LAYOUT        updates from layer FIRST, fed with its cached maps or (-) with images that go through all layers
//   extract BACKBONE WEIGHTS FOLDER OUTPUT BATCH THREADS LAYOUT   descriptors of a folder of JPEG files, as a program of its own
using System.Globalization;
using IlgpuNetVlad.Perf.TorchSharp;
using TorchSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
torch.set_num_threads(int.Parse(args[^2]));
var layout = args[^1] == "channels-last" ? Layout.ChannelsLast : Layout.Contiguous;
switch (args)
{
    case ["network", var backbone, var weights, var batch, var height, var width, _, _]:
        LineServer.Serve(new Extraction(backbone, weights, [int.Parse(batch), 3, int.Parse(height), int.Parse(width)], layout));
        return 0;
    case ["train", var first, var weights, var maps, var height, var width, _, _]:
        LineServer.Serve(new Training(first, weights, maps == "-" ? null : maps, int.Parse(height), int.Parse(width), layout));
        return 0;
    case ["extract", var backbone, var weights, var folder, var output, var batch, _, _]:
        FolderExtraction.Run(backbone, weights, folder, output, int.Parse(batch), layout);
        return 0;
    default:
        Console.Error.WriteLine($"{string.Join(' ', args)} is not understood: the head of perf/TorchSharp/Program.cs tells what is.");
        return 2;
}
