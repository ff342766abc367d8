namespace IlgpuNetVlad.Engine.Weights;

/// <summary>What a file is that is given as weights and is no safetensors file, told by the bytes that it begins with.</summary>
internal static class ForeignFile
{
    /// <summary>Bytes that tell all kinds.</summary>
    public const int Longest = 32;

    private const string Convert = "convert its weights to a .safetensors file";

    private static readonly (byte[] Start, string Kind, string Advice)[] Kinds =
    [
        ([0x89, .. "HDF"u8], "an HDF5 file, as Keras and MATLAB 7.3 write them", Convert),
        ([.. "PK"u8, 3, 4], "a zip file, as PyTorch's torch.save writes them", "save its weights as a .safetensors file with safetensors.torch.save_file"),
        ([.. "MATLAB "u8], "a MATLAB file", Convert),
        ([0x80, 2], "a Python pickle, as older versions of torch.save write them", "save its weights as a .safetensors file with safetensors.torch.save_file"),
        ([0x80, 3], "a Python pickle", Convert),
        ([0x80, 4], "a Python pickle", Convert),
        ([0x80, 5], "a Python pickle", Convert),
        ([0x1F, 0x8B], "a gzip archive", "unpack it, and give the .safetensors file in it"),
        ([0x89, .. "PNG"u8], "a PNG picture", "name the .safetensors file of the weights"),
        ([0xFF, 0xD8, 0xFF], "a JPEG picture", "name the .safetensors file of the weights"),
        ([.. "version https://git-lfs"u8], "a Git LFS pointer and not the file that it stands for", "fetch the .safetensors file itself with `git lfs pull`"),
    ];

    /// <summary>Ends the sentence "… is " and says what to do; null for what is not known.</summary>
    /// <param name="start">The file's first bytes, <see cref="Longest"/> or all that it has.</param>
    public static string? Describe(ReadOnlySpan<byte> start)
    {
        foreach (var (known, kind, advice) in Kinds)
            if (start.StartsWith(known))
                return $"{kind}, and no safetensors file: {advice}";
        return null;
    }
}
