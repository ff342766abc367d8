namespace IlgpuNetVlad.Engine.Data;

/// <summary>An image file that cannot be used.</summary>
public sealed class ImageException : UserErrorException
{
    /// <param name="reason">Ends the sentence "The image … cannot be used: ", without a full stop.</param>
    public ImageException(string path, string reason, Exception? inner = null) : base($"The image {path} cannot be used: {reason}.", inner)
    {
        Path = path;
        Reason = reason;
    }

    public string Path { get; }

    /// <summary>What is wrong with it, without the path and without a full stop.</summary>
    public string Reason { get; }
}
